-- An archiver that was stopped for a while must not insert what its successor has inserted already: each row says until
-- when its writer may insert. `now()` is fixed when a statement begins, this is the time when the block is written.
ALTER TABLE nowcast.events
  ADD COLUMN IF NOT EXISTS insert_before DateTime64(3, 'UTC') DEFAULT toDateTime64('2200-01-01 00:00:00', 3, 'UTC') CODEC(ZSTD),
  ADD CONSTRAINT IF NOT EXISTS lease CHECK nowInBlock64() <= insert_before;
