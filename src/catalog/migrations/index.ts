import { init } from './0001-init.ts';

/** In order; the position is the schema version. */
export const migrations: readonly string[] = [init];
