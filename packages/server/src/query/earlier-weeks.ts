import type { Granularity } from '@nowcast/protocol'
import { bucketStart, zoneOffset } from '../window/zone.ts'
import type { Bucket } from './buckets.ts'

const WEEK_MS = 7 * 24 * 3_600_000

/**
 * Starts of the buckets that show the same time on the zone's clocks so many weeks earlier: an hour off where clocks
 * were turned in between.
 */
export function weeksEarlier(
  buckets: readonly Bucket[],
  weeks: number,
  granularity: Granularity,
  timezone: string,
): number[] {
  const first = buckets[0]?.from ?? 0
  const last = buckets.at(-1)?.from ?? 0
  const back = weeks * WEEK_MS
  const offsets = [first, last, first - back, last - back].map((at) => zoneOffset(timezone, at))
  // Too short a time for clocks to be turned twice in it.
  const isEven = granularity === 'minute' && offsets.every((offset) => offset === offsets[0])
  if (timezone === 'UTC' || isEven) return buckets.map(({ from }) => from - back)
  return buckets.map(({ from }) => {
    const local = from + zoneOffset(timezone, from) - back
    const guess = local - zoneOffset(timezone, local)
    return bucketStart(granularity, timezone, local - zoneOffset(timezone, guess))
  })
}
