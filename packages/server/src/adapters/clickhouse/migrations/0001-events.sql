-- Raw events with their rollups as projections of the same parts: one rename commits both.
-- The sketches have 2^14 registers: 12 KB at most, 0.81 % RMS error.
CREATE TABLE IF NOT EXISTS nowcast.events
(
  log_epoch UInt32 CODEC(ZSTD),
  log_partition UInt16 CODEC(ZSTD),
  log_offset UInt64 CODEC(Delta, ZSTD),
  project LowCardinality(String),
  id String CODEC(ZSTD),
  name String CODEC(ZSTD),
  ts DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
  received_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
  user_id String CODEC(ZSTD),
  anonymous_id String CODEC(ZSTD),
  session_id String CODEC(ZSTD),
  url String CODEC(ZSTD),
  path String CODEC(ZSTD),
  referrer String CODEC(ZSTD),
  referrer_host String CODEC(ZSTD),
  title String CODEC(ZSTD),
  category String CODEC(ZSTD),
  country String CODEC(ZSTD),
  device String CODEC(ZSTD),
  browser String CODEC(ZSTD),
  os String CODEC(ZSTD),
  locale String CODEC(ZSTD),
  utm_source String CODEC(ZSTD),
  utm_medium String CODEC(ZSTD),
  utm_campaign String CODEC(ZSTD),
  -- In the project's currency; 0 without one, or when it could not be converted.
  revenue Decimal(18, 4) CODEC(ZSTD),
  -- As sent, in `currency`; '' without one.
  amount String CODEC(ZSTD),
  currency String CODEC(ZSTD),
  -- What the event is counted under: as above, after the bound on a dimension's values.
  cell_name LowCardinality(String) DEFAULT name,
  cell_country LowCardinality(String) DEFAULT country,
  cell_device LowCardinality(String) DEFAULT device,
  cell_category LowCardinality(String) DEFAULT category,
  hot1 LowCardinality(String),
  hot2 LowCardinality(String),
  unconverted LowCardinality(String),
  properties String DEFAULT '{}' CODEC(ZSTD),
  user_hash UInt64 DEFAULT cityHash64(if(user_id != '', user_id, anonymous_id)),
  session_hash UInt64 DEFAULT if(session_id = '', 0, cityHash64(session_id)),
  INDEX offset_range log_offset TYPE minmax GRANULARITY 1,
  -- Users of whole hours merge 2^14 registers for each row of rollup_hour; this one has two rows an hour.
  -- It stands first, because of projections that cost the same to read the first is taken.
  PROJECTION users_hour
  (
    SELECT
      project, toStartOfHour(ts), cell_device = 'bot',
      uniqCombined64State(14)(user_hash), uniqCombined64IfState(14)(session_hash, session_hash != 0)
    GROUP BY project, toStartOfHour(ts), cell_device = 'bot'
  ),
  PROJECTION rollup_minute
  (
    SELECT
      project, toStartOfMinute(ts), cell_name, cell_country, cell_device, cell_category, hot1, hot2, unconverted,
      count(), sum(revenue), countIf(revenue < 0), sumIf(revenue, revenue < 0),
      uniqCombined64State(14)(user_hash), uniqCombined64IfState(14)(session_hash, session_hash != 0)
    GROUP BY
      project, toStartOfMinute(ts), cell_name, cell_country, cell_device, cell_category, hot1, hot2, unconverted
  ),
  PROJECTION rollup_hour
  (
    SELECT
      project, toStartOfHour(ts), cell_name, cell_country, cell_device, cell_category, hot1, hot2, unconverted,
      count(), sum(revenue), countIf(revenue < 0), sumIf(revenue, revenue < 0),
      uniqCombined64State(14)(user_hash), uniqCombined64IfState(14)(session_hash, session_hash != 0)
    GROUP BY
      project, toStartOfHour(ts), cell_name, cell_country, cell_device, cell_category, hot1, hot2, unconverted
  ),
  PROJECTION frontier
  (
    SELECT log_epoch, log_partition, max(log_offset), argMax(received_at, log_offset)
    GROUP BY log_epoch, log_partition
  )
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(ts)
ORDER BY (project, ts)
SETTINGS
  fsync_after_insert = 1,
  fsync_part_directory = 1,
  min_rows_to_fsync_after_merge = 1,
  min_compressed_bytes_to_fsync_after_merge = 1;
