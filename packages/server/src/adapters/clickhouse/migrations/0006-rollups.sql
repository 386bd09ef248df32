-- What stays of a month when its events are deleted: projection rollup_hour as rows of their own. A month may be copied
-- more than once; `rolled_months` says which copy counts.
CREATE TABLE IF NOT EXISTS nowcast.rollups
(
  -- Month, and a random number of whoever made the copy: `202509.1f3a5c7e9b2d`.
  copy LowCardinality(String),
  project LowCardinality(String),
  hour DateTime('UTC') CODEC(Delta, ZSTD),
  cell_name LowCardinality(String),
  cell_country LowCardinality(String),
  cell_device LowCardinality(String),
  cell_category LowCardinality(String),
  hot1 LowCardinality(String),
  hot2 LowCardinality(String),
  unconverted LowCardinality(String),
  events UInt64 CODEC(ZSTD),
  summed Decimal(38, 4) CODEC(ZSTD),
  refunds UInt64 CODEC(ZSTD),
  refunded Decimal(38, 4) CODEC(ZSTD),
  users AggregateFunction(uniqCombined64(14), UInt64) CODEC(ZSTD),
  sessions AggregateFunction(uniqCombined64If(14), UInt64, UInt8) CODEC(ZSTD)
)
ENGINE = MergeTree
PARTITION BY copy
ORDER BY (project, hour)
SETTINGS
  fsync_after_insert = 1,
  fsync_part_directory = 1,
  min_rows_to_fsync_after_merge = 1,
  min_compressed_bytes_to_fsync_after_merge = 1;

-- How far the archive of each partition had come in the months that were copied; rows stay for ever.
CREATE TABLE IF NOT EXISTS nowcast.frontiers
(
  copy String,
  log_epoch UInt32,
  log_partition UInt16,
  log_offset UInt64,
  received_at DateTime64(3, 'UTC')
)
ENGINE = MergeTree
ORDER BY (log_epoch, log_partition)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- What became of old months, a row for each step; rows stay for ever. `events` and `revenue` are what the copy holds; a
-- month that is only announced has none.
CREATE TABLE IF NOT EXISTS nowcast.rolled_months
(
  month UInt32,
  copy String,
  step Enum8('announced' = 1, 'copied' = 2, 'dropped' = 3, 'forgotten' = 4),
  events UInt64,
  revenue Decimal(38, 4),
  at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
ORDER BY month
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
