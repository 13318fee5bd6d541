import type { Database } from './open.ts';
import type { Generation, Publications, PublishedIndex, PublishIntent } from './publications.ts';

/** The trees on disk: see `Publications`. */
export interface Generations extends Pick<Publications, 'places' | 'prefixes'> {
  list(prefix: string, distribution: string): Generation[];
  /** Adds the tree of an intent, as the one that is served. */
  add(intent: PublishIntent): void;
  /** The served tree is served no longer. */
  retire(place: Pick<PublishIntent, 'prefix' | 'distribution'>, at: string): void;
  drop(prefix: string, distribution: string, number: number): void;
}

interface GenerationRow {
  number: number;
  contents: string;
  indexes: string;
  published_at: string;
  retired_at: string | null;
}

export function openGenerations(database: Database): Generations {
  return {
    list: (prefix, distribution) =>
      database
        .all<GenerationRow>('SELECT * FROM generation WHERE prefix = ? AND distribution = ? ORDER BY number', prefix, distribution)
        .map(generationFrom),
    places: () =>
      database.all<{ prefix: string; distribution: string }>(
        'SELECT DISTINCT prefix, distribution FROM generation ORDER BY prefix, distribution',
      ),
    prefixes: () => prefixes(database),
    add: ({ format, prefix, distribution, generation, contents, indexes, publishedAt }) =>
      void database.run(
        'INSERT INTO generation (format, prefix, distribution, number, contents, indexes, published_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
        format,
        prefix,
        distribution,
        generation,
        JSON.stringify(contents),
        JSON.stringify(indexes),
        publishedAt,
      ),
    retire: ({ prefix, distribution }, at) =>
      void database.run(
        'UPDATE generation SET retired_at = ? WHERE prefix = ? AND distribution = ? AND retired_at IS NULL',
        at,
        prefix,
        distribution,
      ),
    drop: (prefix, distribution, number) =>
      void database.run(
        'DELETE FROM generation WHERE prefix = ? AND distribution = ? AND number = ?',
        prefix,
        distribution,
        number,
      ),
  };
}

function prefixes(database: Database): ReturnType<Publications['prefixes']> {
  const found = new Map<string, { readonly prefix: string; readonly format: string; readonly contents: Set<number> }>();
  const rows = database.all<{ prefix: string; format: string; contents: string }>('SELECT prefix, format, contents FROM generation');
  for (const { prefix, format, contents } of rows) {
    const key = `${prefix} ${format}`;
    const entry = found.get(key) ?? { prefix, format, contents: new Set() };
    for (const content of JSON.parse(contents) as number[]) entry.contents.add(content);
    found.set(key, entry);
  }
  return [...found.values()];
}

function generationFrom(row: GenerationRow): Generation {
  return {
    number: row.number,
    contents: JSON.parse(row.contents) as number[],
    indexes: JSON.parse(row.indexes) as PublishedIndex[],
    publishedAt: row.published_at,
    ...(row.retired_at === null ? {} : { retiredAt: row.retired_at }),
  };
}
