import { containerKind } from './container/container-kind.ts';
import { gitKind } from './git/git-kind.ts';
import type { ArtifactKind } from './kind.ts';
import { pythonKind } from './python/python-kind.ts';

/** Every artifact kind: one folder beside this file, one name here, in the order they are made. */
export const artifactKinds: readonly ArtifactKind[] = [gitKind, pythonKind, containerKind];
