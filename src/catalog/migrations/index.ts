import { init } from './0001-init.ts';
import { artifacts } from './0002-artifacts.ts';
import { packages } from './0003-packages.ts';

/** In order; the position is the schema version. */
export const migrations: readonly string[] = [init, artifacts, packages];
