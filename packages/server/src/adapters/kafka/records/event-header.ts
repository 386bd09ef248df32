/*
 * One event is one record:
 *
 *   key      `<project>:<anonymousId ?? userId>`, UTF-8
 *   value    one JSON object, UTF-8: the row as the archive takes it, without its place in the log
 *   header   `nowcast`, what the consumers need without parsing the row, little-endian:
 *
 *     0   uint8     version, 1
 *     1   uint8     flags: 1 = has a revenue that is summed
 *     2   float64   received time, epoch ms
 *     10  float64   event time, epoch ms
 *     18  float64   revenue in ten-thousandths, an integer
 *     26  3 uint32  hash of (project, id)
 *     38  2 uint32  hash of the user, low word first
 *     46  2 uint32  hash of the session; 0 without one
 *     54  UTF-8     the cell: project, name, country, device, category, hot1, hot2, unconverted, parted by NUL
 *
 * A record without this header is not ours. Other headers may stand beside it.
 */

export const HEADER_NAME = Buffer.from('nowcast')
export const HEADER_VERSION = 1
/** Bytes before the cell. */
export const FIXED_BYTES = 54
/** Parts of a cell's text. */
export const CELL_PARTS = 8

/** Kafka's record batch, version 2: bytes before its records, and where fields stand. */
export const BATCH_HEADER_BYTES = 61
export const BATCH = {
  baseOffset: 0,
  length: 8,
  leaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  count: 57,
} as const
/** Bytes of a batch that its length does not count. */
export const BEFORE_LENGTH = 12
