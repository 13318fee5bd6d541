import type { Sha256 } from '../core/digest.ts';
import { openGenerations } from './generations.ts';
import { openIntents } from './intents.ts';
import type { Database } from './open.ts';
import { openStages } from './stages.ts';

/** A published distribution, as the catalog knows it. */
export interface Publication {
  readonly id: number;
  readonly format: string;
  /** Folder below the public root that holds `dists` and `pool`: `apt-mirror/integrated`. */
  readonly prefix: string;
  readonly distribution: string;
  /** Number of the tree that is served. */
  readonly generation: number;
  readonly components: readonly PublishedComponent[];
  readonly spec: PublicationSpec;
  /** The date of its root metadata, ISO 8601. */
  readonly publishedAt: string;
}

export interface PublishedComponent {
  readonly component: string;
  /** Number of the snapshot. */
  readonly snapshot: number;
}

/** What a component will serve from the next update on: a snapshot, or a repository as it is then. With neither it goes. */
export interface StagedComponent {
  readonly component: string;
  readonly snapshot?: number;
  readonly repo?: string;
}

/** What a publication says of itself, besides its packages. */
export interface PublicationSpec extends PublicationFields {
  readonly architectures: readonly string[];
  readonly origin: string;
  readonly label: string;
  /** Fingerprints of the keys that signed it. */
  readonly signedBy: readonly string[];
  /** What was said for this publication; everything else follows the configuration. */
  readonly given?: PublicationFields;
  /** Components that follow a local repository: component -> repository. */
  readonly repos?: Readonly<Record<string, string>>;
  /** Components that are published as their upstream made and signed them. */
  readonly exact?: readonly string[];
  /** Until when clients accept it, ISO 8601. */
  readonly validUntil?: string;
}

/** What root metadata may say, and what is published besides packages. */
export interface PublicationFields {
  readonly origin?: string;
  readonly label?: string;
  readonly suite?: string;
  readonly codename?: string;
  readonly version?: string;
  readonly description?: string;
  /** Clients install from it only when told to. */
  readonly notAutomatic?: boolean;
  /** With `notAutomatic`: what was installed from it is upgraded from it all the same. */
  readonly butAutomaticUpgrades?: boolean;
  /** Milliseconds from its date until clients refuse it; 0: for ever. */
  readonly validFor?: number;
  /** Whether it names the keys its successors will be signed with. */
  readonly pinKeys?: boolean;
  /** Whether lists of the packages' files are made. */
  readonly contents?: boolean;
  /** The kind of clients it is made for, in the format's words; undefined: any. */
  readonly clients?: string;
}

/** A tree on disk: the served one, or one kept for clients in the middle of it. */
export interface Generation {
  readonly number: number;
  /** Numbers of the contents whose files it refers to. */
  readonly contents: readonly number[];
  /** Index files clients in the middle of it may still ask for by digest. */
  readonly indexes: readonly PublishedIndex[];
  readonly publishedAt: string;
  readonly retiredAt?: string;
}

/** An index file of a generation, its path below the distribution. */
export interface PublishedIndex {
  readonly path: string;
  readonly size: number;
  readonly sha256: Sha256;
}

/** A change of a published tree that was begun. */
export interface PublishIntent {
  readonly prefix: string;
  readonly distribution: string;
  readonly format: string;
  readonly generation: number;
  readonly components: readonly PublishedComponent[];
  readonly contents: readonly number[];
  readonly indexes: readonly PublishedIndex[];
  readonly spec: PublicationSpec;
  readonly publishedAt: string;
}

interface PublicationRow {
  id: number;
  format: string;
  prefix: string;
  distribution: string;
  generation: number;
  spec: string;
  published_at: string;
}

export interface Publications {
  find(prefix: string, distribution: string): Publication | undefined;
  list(): Publication[];
  /** Changes that wait for the next update, by component. */
  staged(prefix: string, distribution: string): StagedComponent[];
  /** Replaces the changes that wait. */
  stage(prefix: string, distribution: string, changes: readonly StagedComponent[]): void;
  /** Publications and staged changes that follow the repository do so under its new name. */
  renameRepo(from: string, to: string): void;
  /** Publications that serve this snapshot, or will with the next update. */
  using(snapshot: number): Publication[];
  generations(prefix: string, distribution: string): Generation[];
  /** Every distribution that has generations, published or dropped. */
  places(): { readonly prefix: string; readonly distribution: string }[];
  /** Every prefix, once for each format that is published there, with the numbers of the contents that kept generations refer to. */
  prefixes(): { readonly prefix: string; readonly format: string; readonly contents: ReadonlySet<number> }[];
  dropGeneration(prefix: string, distribution: string, number: number): void;
  intents(): PublishIntent[];
  begin(intent: PublishIntent): void;
  /** The switch happened: the intent becomes the publication, its predecessor a kept generation. */
  finish(intent: PublishIntent, retiredAt: string): void;
  /** The switch did not happen. */
  abandon(prefix: string, distribution: string): void;
  drop(prefix: string, distribution: string, retiredAt: string): void;
  /** Forgets everything that is published: for a copy of the catalog whose trees were not copied. */
  forgetAll(): void;
}

export function openPublications(database: Database): Publications {
  const generations = openGenerations(database);
  const { staged, stage } = openStages(database);
  const { intents, begin, abandon } = openIntents(database);
  const rows = (rest: string, ...values: (string | number)[]): Publication[] =>
    database.all<PublicationRow>(`SELECT * FROM publication ${rest}`, ...values).map((row) => publicationFrom(row, database));
  return {
    find: (prefix, distribution) => rows('WHERE prefix = ? AND distribution = ?', prefix, distribution)[0],
    list: () => rows('ORDER BY prefix, distribution'),
    staged,
    stage,
    renameRepo: (from, to) => renameRepo(database, from, to),
    using: (snapshot) =>
      rows(
        `WHERE id IN (SELECT publication FROM publication_component WHERE snapshot = ?)
           OR (prefix, distribution) IN (SELECT prefix, distribution FROM publication_stage WHERE snapshot = ?)
         ORDER BY prefix, distribution`,
        snapshot,
        snapshot,
      ),
    generations: generations.list,
    places: generations.places,
    prefixes: generations.prefixes,
    dropGeneration: generations.drop,
    intents,
    begin,
    finish: (intent, retiredAt) => {
      generations.retire(intent, retiredAt);
      replace(database, intent);
      generations.add(intent);
      abandon(intent.prefix, intent.distribution);
    },
    abandon,
    drop: (prefix, distribution, retiredAt) => {
      generations.retire({ prefix, distribution }, retiredAt);
      stage(prefix, distribution, []);
      database.run('DELETE FROM publication WHERE prefix = ? AND distribution = ?', prefix, distribution);
    },
    forgetAll: () => {
      for (const table of ['publication', 'publication_stage', 'generation', 'intent']) database.run(`DELETE FROM ${table}`);
    },
  };
}

function publicationFrom(row: PublicationRow, database: Database): Publication {
  return {
    id: row.id,
    format: row.format,
    prefix: row.prefix,
    distribution: row.distribution,
    generation: row.generation,
    components: database.all<PublishedComponent>(
      'SELECT component, snapshot FROM publication_component WHERE publication = ? ORDER BY component',
      row.id,
    ),
    spec: JSON.parse(row.spec) as PublicationSpec,
    publishedAt: row.published_at,
  };
}

/** Puts the publication in the place of its predecessor. */
function replace(database: Database, { prefix, distribution, format, generation, spec, publishedAt, components }: PublishIntent): void {
  database.run('DELETE FROM publication WHERE prefix = ? AND distribution = ?', prefix, distribution);
  const id = database.run(
    'INSERT INTO publication (format, prefix, distribution, generation, spec, published_at) VALUES (?, ?, ?, ?, ?, ?)',
    format,
    prefix,
    distribution,
    generation,
    JSON.stringify(spec),
    publishedAt,
  );
  for (const { component, snapshot } of components) {
    database.run('INSERT INTO publication_component (publication, component, snapshot) VALUES (?, ?, ?)', id, component, snapshot);
  }
}

function renameRepo(database: Database, from: string, to: string): void {
  database.run('UPDATE publication_stage SET repo = ? WHERE repo = ?', to, from);
  for (const { id, spec: text } of database.all<{ id: number; spec: string }>('SELECT id, spec FROM publication')) {
    const spec = JSON.parse(text) as PublicationSpec;
    const repos = Object.entries(spec.repos ?? {});
    if (!repos.some(([, repo]) => repo === from)) continue;
    const renamed = Object.fromEntries(repos.map(([component, repo]) => [component, repo === from ? to : repo]));
    database.run('UPDATE publication SET spec = ? WHERE id = ?', JSON.stringify({ ...spec, repos: renamed }), id);
  }
}
