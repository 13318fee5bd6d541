import type { Artifact, ArtifactFacts, ArtifactFile } from '../core/artifact.ts';
import type { Sha256 } from '../core/digest.ts';
import { packFiles, unpackFiles } from './artifact-files.ts';
import type { Database } from './open.ts';

/** An artifact with what decided its bytes. */
export interface RecordedArtifact extends Artifact {
  /** Number of this revision; higher is newer. */
  readonly number: number;
  readonly inputs: Readonly<Record<string, unknown>>;
  /** Digests of what it was made from, by the ids of their nodes. */
  readonly needs: Readonly<Record<string, Sha256>>;
  /** Digest of its files. */
  readonly digest: Sha256;
}

/** How the last attempt at an artifact went. */
export interface Attempt {
  readonly release: string;
  readonly id: string;
  readonly kind: string;
  readonly state: 'building' | 'ready' | 'failed';
  readonly detail: string;
  /** ISO 8601, UTC. */
  readonly at: string;
}

export interface Artifacts {
  /** The newest revision. */
  find(release: string, id: string): RecordedArtifact | undefined;
  /** The newest revision of each of a release's, by id. */
  list(release: string): RecordedArtifact[];
  /** The newest revision of each of all releases' of a kind, the last made first. */
  ofKind(kind: string): RecordedArtifact[];
  /** The files of all revisions but these. */
  eachFile(except?: ReadonlySet<number>): Iterable<ArtifactFile>;
  add(artifact: Omit<RecordedArtifact, 'number'>): void;
  /** Revisions that newer ones took the place of before that time. */
  superseded(before: string): RecordedArtifact[];
  drop(number: number): void;
  /** Forgets all revisions of an artifact; its files go with the next clean-up. */
  forget(release: string, id: string): void;
  attempts(release: string): Attempt[];
  /** Records how an attempt stands, in place of the one before. */
  attempt(attempt: Attempt): void;
}

interface ArtifactRow {
  number: number;
  release: string;
  id: string;
  kind: string;
  inputs: string;
  needs: string;
  digest: string;
  files: string;
  facts: string;
  made_at: string;
}

const NEWEST = 'number IN (SELECT max(number) FROM artifact GROUP BY release, id)';

export function openArtifacts(database: Database): Artifacts {
  const rows = (where: string, ...values: string[]): RecordedArtifact[] =>
    database.all<ArtifactRow>(`SELECT * FROM artifact WHERE ${where}`, ...values).map(fromRow);
  return {
    find: (release, id) => rows('release = ? AND id = ? ORDER BY number DESC LIMIT 1', release, id)[0],
    list: (release) => rows(`release = ? AND ${NEWEST} ORDER BY id`, release),
    ofKind: (kind) => rows(`kind = ? AND ${NEWEST} ORDER BY number DESC`, kind),
    eachFile: function* (except) {
      for (const { number, files } of database.each<{ number: number; files: string }>('SELECT number, files FROM artifact')) {
        if (except?.has(number) !== true) yield* unpackFiles(files);
      }
    },
    add: (artifact) => {
      database.run(
        'INSERT INTO artifact (release, id, kind, inputs, needs, digest, files, facts, made_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
        artifact.release,
        artifact.id,
        artifact.kind,
        JSON.stringify(artifact.inputs),
        JSON.stringify(artifact.needs),
        artifact.digest,
        packFiles(artifact.files),
        JSON.stringify(artifact.facts),
        artifact.madeAt,
      );
    },
    superseded: (before) =>
      rows('EXISTS (SELECT 1 FROM artifact AS newer WHERE newer.release = artifact.release AND newer.id = artifact.id AND newer.number > artifact.number AND newer.made_at < ?)', before),
    drop: (number) => void database.run('DELETE FROM artifact WHERE number = ?', number),
    forget: (release, id) => {
      database.run('DELETE FROM artifact WHERE release = ? AND id = ?', release, id);
      database.run('DELETE FROM artifact_attempt WHERE release = ? AND id = ?', release, id);
    },
    attempts: (release) => database.all<Attempt>('SELECT * FROM artifact_attempt WHERE release = ? ORDER BY id', release),
    attempt: ({ release, id, kind, state, detail, at }) =>
      void database.run(
        'INSERT OR REPLACE INTO artifact_attempt (release, id, kind, state, detail, at) VALUES (?, ?, ?, ?, ?, ?)',
        release,
        id,
        kind,
        state,
        detail,
        at,
      ),
  };
}

function fromRow(row: ArtifactRow): RecordedArtifact {
  return {
    number: row.number,
    release: row.release,
    id: row.id,
    kind: row.kind,
    inputs: JSON.parse(row.inputs) as RecordedArtifact['inputs'],
    needs: JSON.parse(row.needs) as RecordedArtifact['needs'],
    digest: row.digest as Sha256,
    files: unpackFiles(row.files),
    facts: JSON.parse(row.facts) as ArtifactFacts,
    madeAt: row.made_at,
  };
}
