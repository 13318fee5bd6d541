import type { Database } from './open.ts';
import type { Publications } from './publications.ts';

/** Changes of publications that wait for their next update: see `Publications`. */
export type Stages = Pick<Publications, 'staged' | 'stage'>;

export function openStages(database: Database): Stages {
  return {
    staged: (prefix, distribution) =>
      database
        .all<{ component: string; snapshot: number | null; repo: string | null }>(
          'SELECT component, snapshot, repo FROM publication_stage WHERE prefix = ? AND distribution = ? ORDER BY component',
          prefix,
          distribution,
        )
        .map(({ component, snapshot, repo }) => ({
          component,
          ...(snapshot === null ? {} : { snapshot }),
          ...(repo === null ? {} : { repo }),
        })),
    stage: (prefix, distribution, changes) => {
      database.run('DELETE FROM publication_stage WHERE prefix = ? AND distribution = ?', prefix, distribution);
      for (const { component, snapshot, repo } of changes) {
        database.run(
          'INSERT INTO publication_stage (prefix, distribution, component, snapshot, repo) VALUES (?, ?, ?, ?, ?)',
          prefix,
          distribution,
          component,
          snapshot ?? null,
          repo ?? null,
        );
      }
    },
  };
}
