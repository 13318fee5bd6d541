import type { ArtifactFile } from '../core/artifact.ts';
import type { Sha256 } from '../core/digest.ts';
import { packFiles, unpackFiles } from './artifact-files.ts';
import type { Database } from './open.ts';

/** A published folder that is replaced as a whole, in one of its generations. */
export interface Tree {
  /** Below the public folder: `git-archives/r1.0.0`. */
  readonly place: string;
  readonly number: number;
  /** The release it belongs to; empty where releases share it. */
  readonly release: string;
  /** Fingerprint of what it was made from. */
  readonly inputs: Sha256;
  /** Their paths are below the place. */
  readonly files: readonly ArtifactFile[];
  readonly publishedAt: string;
  readonly retiredAt?: string;
}

export interface Trees {
  served(place: string): Tree | undefined;
  /** What is served, by place. */
  list(): Tree[];
  /** Places anything is known of. */
  places(): string[];
  /** Generations that were announced and neither served nor abandoned: their run was stopped. */
  coming(): Tree[];
  /** The served one and those kept after it, oldest first. */
  generations(place: string): Tree[];
  /** Records a generation before clients are pointed to it, so that its files are held. */
  announce(tree: Omit<Tree, 'retiredAt'>): void;
  /** The announced generation is the one that clients see now. */
  serve(place: string, number: number, now: string): void;
  /** The place is served no more. */
  retire(place: string, now: string): void;
  drop(place: string, number: number): void;
  forgetAll(): void;
}

interface TreeRow {
  place: string;
  number: number;
  release: string;
  inputs: string;
  files: string;
  state: string;
  published_at: string;
  retired_at: string | null;
}

export function openTrees(database: Database): Trees {
  const rows = (where: string, ...values: string[]): Tree[] =>
    database.all<TreeRow>(`SELECT * FROM tree WHERE ${where} ORDER BY place, number`, ...values).map(fromRow);
  const retire = (place: string, now: string): void =>
    void database.run("UPDATE tree SET state = 'retired', retired_at = ? WHERE place = ? AND state = 'served'", now, place);
  return {
    served: (place) => rows("place = ? AND state = 'served'", place)[0],
    list: () => rows("state = 'served'"),
    places: () => database.all<{ place: string }>('SELECT DISTINCT place FROM tree ORDER BY place').map(({ place }) => place),
    coming: () => rows("state = 'coming'"),
    generations: (place) => rows("place = ? AND state <> 'coming'", place),
    announce: (tree) =>
      void database.run(
        "INSERT INTO tree (place, number, release, inputs, files, state, published_at) VALUES (?, ?, ?, ?, ?, 'coming', ?)",
        tree.place,
        tree.number,
        tree.release,
        tree.inputs,
        packFiles(tree.files),
        tree.publishedAt,
      ),
    serve: (place, number, now) => {
      retire(place, now);
      database.run("UPDATE tree SET state = 'served' WHERE place = ? AND number = ?", place, number);
    },
    retire,
    drop: (place, number) => void database.run('DELETE FROM tree WHERE place = ? AND number = ?', place, number),
    forgetAll: () => void database.run('DELETE FROM tree'),
  };
}

function fromRow(row: TreeRow): Tree {
  return {
    place: row.place,
    number: row.number,
    release: row.release,
    inputs: row.inputs as Sha256,
    files: unpackFiles(row.files),
    publishedAt: row.published_at,
    ...(row.retired_at === null ? {} : { retiredAt: row.retired_at }),
  };
}
