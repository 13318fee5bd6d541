import { init } from './0001-init.ts';
import { artifacts } from './0002-artifacts.ts';

/** In order; the position is the schema version. */
export const migrations: readonly string[] = [init, artifacts];
