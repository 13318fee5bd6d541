/** Every kind of pool: one file beside this one, one name here. */
export { openLocalPool, openOverlayPool, openPool } from './local.ts';
export type { Incoming, Pool, PoolEntry } from './pool.ts';
