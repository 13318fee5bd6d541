/** Never edited once released: a change of the schema is a further migration. */
export const init = `
-- What an index says of a package. Rows are inserted in publication order, so that an index is read in row order.
CREATE TABLE record (
  id INTEGER PRIMARY KEY,
  digest BLOB NOT NULL UNIQUE,
  format TEXT NOT NULL,
  partition TEXT NOT NULL,
  name TEXT NOT NULL,
  version TEXT NOT NULL,
  architecture TEXT NOT NULL,
  size INTEGER NOT NULL,      -- bytes of text
  files TEXT NOT NULL         -- [[sha256, size, name], …]
) STRICT;
CREATE INDEX record_name ON record (name);

-- Apart from record, so that reading names and versions does not read the texts.
CREATE TABLE record_text (
  id INTEGER PRIMARY KEY REFERENCES record (id),
  text BLOB NOT NULL
) STRICT;

CREATE TABLE leaf (
  id INTEGER PRIMARY KEY,
  digest BLOB NOT NULL UNIQUE,
  partition TEXT NOT NULL,
  first TEXT NOT NULL,
  last TEXT NOT NULL,
  count INTEGER NOT NULL,
  size INTEGER NOT NULL,
  members BLOB NOT NULL       -- record ids, 32 bit little endian
) STRICT;

CREATE TABLE content (
  id INTEGER PRIMARY KEY,
  digest BLOB NOT NULL UNIQUE,
  count INTEGER NOT NULL
) STRICT;

CREATE TABLE content_leaf (
  content INTEGER NOT NULL REFERENCES content (id),
  seq INTEGER NOT NULL,
  leaf INTEGER NOT NULL REFERENCES leaf (id),
  PRIMARY KEY (content, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX content_leaf_leaf ON content_leaf (leaf);

CREATE TABLE mirror (
  name TEXT PRIMARY KEY,
  format TEXT NOT NULL,
  inputs TEXT NOT NULL,       -- fingerprint of the definition it was updated with
  definition TEXT NOT NULL,   -- that definition, JSON
  root TEXT NOT NULL,         -- what is remembered of the upstream's root metadata, JSON
  indexes TEXT NOT NULL,      -- [{name, sha256, content}]: indexes that need not be read again while unchanged
  content INTEGER NOT NULL REFERENCES content (id),
  checked_at TEXT NOT NULL,
  changed_at TEXT NOT NULL
) STRICT;

CREATE TABLE repo (
  name TEXT PRIMARY KEY,
  format TEXT NOT NULL,
  comment TEXT NOT NULL,
  content INTEGER NOT NULL REFERENCES content (id),
  created_at TEXT NOT NULL,
  changed_at TEXT NOT NULL
) STRICT;

CREATE TABLE snapshot (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  format TEXT NOT NULL,
  content INTEGER NOT NULL REFERENCES content (id),
  origin TEXT NOT NULL,
  created_at TEXT NOT NULL
) STRICT;

CREATE TABLE snapshot_source (
  snapshot INTEGER NOT NULL REFERENCES snapshot (id) ON DELETE CASCADE,
  source INTEGER NOT NULL REFERENCES snapshot (id),
  PRIMARY KEY (snapshot, source)
) STRICT, WITHOUT ROWID;
CREATE INDEX snapshot_source_source ON snapshot_source (source);

CREATE TABLE publication (
  id INTEGER PRIMARY KEY,
  format TEXT NOT NULL,
  prefix TEXT NOT NULL,
  distribution TEXT NOT NULL,
  generation INTEGER NOT NULL,
  spec TEXT NOT NULL,         -- labels and settings, JSON
  published_at TEXT NOT NULL, -- the date in its root metadata
  UNIQUE (prefix, distribution)
) STRICT;

CREATE TABLE publication_component (
  publication INTEGER NOT NULL REFERENCES publication (id) ON DELETE CASCADE,
  component TEXT NOT NULL,
  snapshot INTEGER NOT NULL REFERENCES snapshot (id),
  PRIMARY KEY (publication, component)
) STRICT, WITHOUT ROWID;

-- Changes of components that wait for the next update of the publication.
CREATE TABLE publication_stage (
  prefix TEXT NOT NULL,
  distribution TEXT NOT NULL,
  component TEXT NOT NULL,
  snapshot INTEGER REFERENCES snapshot (id),
  repo TEXT,                  -- a local repository, frozen at the update; neither: the component goes
  PRIMARY KEY (prefix, distribution, component)
) STRICT, WITHOUT ROWID;

-- Trees on disk, the served one and those kept for readers in the middle of them.
CREATE TABLE generation (
  format TEXT NOT NULL,
  prefix TEXT NOT NULL,
  distribution TEXT NOT NULL,
  number INTEGER NOT NULL,
  contents TEXT NOT NULL,     -- content ids, JSON: their files must stay in the published pool
  indexes TEXT NOT NULL,      -- [{path, size, sha256}]: what clients in the middle of it may still ask for
  published_at TEXT NOT NULL,
  retired_at TEXT,
  PRIMARY KEY (prefix, distribution, number)
) STRICT, WITHOUT ROWID;

-- A change of a published tree that was begun: written before the switch, removed with its result.
CREATE TABLE intent (
  prefix TEXT NOT NULL,
  distribution TEXT NOT NULL,
  plan TEXT NOT NULL,
  PRIMARY KEY (prefix, distribution)
) STRICT, WITHOUT ROWID;

CREATE TABLE build (
  release TEXT NOT NULL,
  id TEXT NOT NULL,           -- YYYYMMDDTHHMMSSZ
  result TEXT NOT NULL,       -- done, partial or failed
  inputs TEXT NOT NULL,       -- fingerprint of all inputs
  manifest TEXT,              -- SHA-256 of the manifest, when one was written
  finished_at TEXT NOT NULL,
  PRIMARY KEY (release, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE release (
  name TEXT PRIMARY KEY,
  latest_build TEXT NOT NULL
) STRICT;
`;
