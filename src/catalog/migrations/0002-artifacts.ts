/** Never edited once released: a change of the schema is a further migration. */
export const artifacts = `
-- What releases are made of besides packages. A row never changes: made anew, an artifact has a further one.
CREATE TABLE artifact (
  number INTEGER PRIMARY KEY,
  release TEXT NOT NULL,
  id TEXT NOT NULL,
  kind TEXT NOT NULL,
  inputs TEXT NOT NULL,       -- what decided it, readable, JSON
  needs TEXT NOT NULL,        -- what it was made from: {id: digest}, JSON
  digest TEXT NOT NULL,       -- of its files
  files TEXT NOT NULL,        -- [[sha256, size, path], …]
  facts TEXT NOT NULL,        -- JSON
  made_at TEXT NOT NULL
) STRICT;
CREATE INDEX artifact_id ON artifact (release, id);

-- How the last attempt to make an artifact went; one that was stopped stays building.
CREATE TABLE artifact_attempt (
  release TEXT NOT NULL,
  id TEXT NOT NULL,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,        -- building, ready or failed
  detail TEXT NOT NULL,
  at TEXT NOT NULL,
  PRIMARY KEY (release, id)
) STRICT, WITHOUT ROWID;

-- Published folders that are replaced as a whole: one coming, one served, and those kept for readers in the middle of them.
CREATE TABLE tree (
  place TEXT NOT NULL,        -- below the public folder
  number INTEGER NOT NULL,
  release TEXT NOT NULL,      -- empty where releases share it
  inputs TEXT NOT NULL,       -- fingerprint of what it was made from
  files TEXT NOT NULL,        -- [[sha256, size, path below the place], …]
  state TEXT NOT NULL,        -- coming, served or retired
  published_at TEXT NOT NULL,
  retired_at TEXT,
  PRIMARY KEY (place, number)
) STRICT, WITHOUT ROWID;
`;
