-- Users whose rows are being anonymised; empty but while that goes on. The statement that rewrites the rows reads it, so
-- that ClickHouse's own list of such statements names nobody.
CREATE TABLE IF NOT EXISTS nowcast.deleted_users
(
  project String,
  id String,
  -- Random, and forgotten with the row: nobody can compute the new hashes from the old ones.
  salt UInt64
)
ENGINE = MergeTree
ORDER BY (project, id);
