import type { Database } from './open.ts';
import type { Publications, PublishIntent } from './publications.ts';

/** Switches that were begun: see `Publications`. */
export type Intents = Pick<Publications, 'intents' | 'begin' | 'abandon'>;

export function openIntents(database: Database): Intents {
  return {
    intents: () => database.all<{ plan: string }>('SELECT plan FROM intent').map((row) => JSON.parse(row.plan) as PublishIntent),
    begin: (intent) =>
      void database.run(
        'INSERT INTO intent (prefix, distribution, plan) VALUES (?, ?, ?)',
        intent.prefix,
        intent.distribution,
        JSON.stringify(intent),
      ),
    abandon: (prefix, distribution) =>
      void database.run('DELETE FROM intent WHERE prefix = ? AND distribution = ?', prefix, distribution),
  };
}
