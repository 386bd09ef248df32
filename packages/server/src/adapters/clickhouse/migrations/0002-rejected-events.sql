-- Events that ingestion refused, kept for a week to show what is wrong with them.
CREATE TABLE IF NOT EXISTS nowcast.rejected_events
(
  project LowCardinality(String),
  received_at DateTime64(3, 'UTC'),
  code LowCardinality(String),
  message String CODEC(ZSTD),
  -- Place in the batch.
  `index` UInt32,
  event String CODEC(ZSTD)
)
ENGINE = MergeTree
PARTITION BY toDate(received_at)
ORDER BY (project, received_at)
TTL toDateTime(received_at) + INTERVAL 7 DAY
SETTINGS ttl_only_drop_parts = 1;
