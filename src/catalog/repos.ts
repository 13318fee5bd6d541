import type { Content } from '../core/snapshot.ts';
import type { Contents } from './contents.ts';
import type { Database } from './open.ts';

/** A local repository: packages we put in ourselves. Unlike a snapshot it changes. */
export interface Repo {
  readonly name: string;
  readonly format: string;
  readonly comment: string;
  readonly content: Content;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly changedAt: string;
}

interface RepoRow {
  name: string;
  format: string;
  comment: string;
  content: number;
  created_at: string;
  changed_at: string;
}

export interface Repos {
  find(name: string): Repo | undefined;
  list(): Repo[];
  /** Creates or replaces. */
  put(repo: Repo): void;
  drop(name: string): void;
}

export function openRepos(database: Database, contents: Contents): Repos {
  const from = (row: RepoRow): Repo => ({
    name: row.name,
    format: row.format,
    comment: row.comment,
    content: contents.get(row.content),
    createdAt: row.created_at,
    changedAt: row.changed_at,
  });
  return {
    find: (name) => {
      const row = database.get<RepoRow>('SELECT * FROM repo WHERE name = ?', name);
      return row === undefined ? undefined : from(row);
    },
    list: () => database.all<RepoRow>('SELECT * FROM repo ORDER BY name').map(from),
    put: ({ name, format, comment, content, createdAt, changedAt }) => {
      database.run(
        `INSERT INTO repo (name, format, comment, content, created_at, changed_at) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (name) DO UPDATE SET comment = excluded.comment, content = excluded.content,
           changed_at = excluded.changed_at`,
        name,
        format,
        comment,
        content.id,
        createdAt,
        changedAt,
      );
    },
    drop: (name) => void database.run('DELETE FROM repo WHERE name = ?', name),
  };
}
