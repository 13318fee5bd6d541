import { openArtifacts, type Artifacts } from './artifacts.ts';
import { openBuilds, type Builds } from './builds.ts';
import { openContents, type Contents } from './contents.ts';
import { openMembers, type Members } from './members.ts';
import { openMirrors, type Mirrors } from './mirrors.ts';
import { openDatabase, type Database } from './open.ts';
import { openPublications, type Publications } from './publications.ts';
import { openRecords, type Records } from './records.ts';
import { openRepos, type Repos } from './repos.ts';
import { openSnapshots, type Snapshots } from './snapshots.ts';
import { openSweep, type Sweep } from './sweep.ts';
import { openTrees, type Trees } from './trees.ts';

export interface Catalog {
  readonly records: Records;
  readonly contents: Contents;
  readonly members: Members;
  readonly mirrors: Mirrors;
  readonly repos: Repos;
  readonly snapshots: Snapshots;
  readonly publications: Publications;
  readonly builds: Builds;
  readonly artifacts: Artifacts;
  readonly trees: Trees;
  readonly sweep: Sweep;
  transaction<T>(work: () => T): T;
  close(): void;
}

/** Opens the catalog file, creating it when there is none. */
export function openCatalog(file: string): Catalog {
  return assemble(openDatabase(file));
}

function assemble(database: Database): Catalog {
  const contents = openContents(database);
  return {
    records: openRecords(database),
    contents,
    members: openMembers(database),
    mirrors: openMirrors(database, contents),
    repos: openRepos(database, contents),
    snapshots: openSnapshots(database, contents),
    publications: openPublications(database),
    builds: openBuilds(database),
    artifacts: openArtifacts(database),
    trees: openTrees(database),
    sweep: openSweep(database),
    transaction: database.transaction,
    close: database.close,
  };
}
