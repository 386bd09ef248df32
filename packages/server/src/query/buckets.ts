import { type Granularity, QUERY_LIMITS, type Range } from '@nowcast/protocol'
import { NowcastError } from '../errors.ts'
import { bucketStart, nextBucket, previousBucket } from '../window/zone.ts'

/** A stretch of time, epoch ms; `to` is exclusive. */
export interface Bucket {
  from: number
  to: number
}

const UNIT = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** Milliseconds of `30m`, `24h`, `7d`. */
export function spanMs(span: string): number {
  return Number(span.slice(0, -1)) * UNIT[span.slice(-1) as keyof typeof UNIT]
}

/** First moment and end of a range: whole buckets that end with the running one, or as given. */
export function resolveRange(range: Range, granularity: Granularity, timezone: string, now: number): Bucket {
  if ('from' in range) return range
  const running = bucketStart(granularity, timezone, now)
  const to = nextBucket(granularity, timezone, running)
  const span = spanMs(range.last)
  if (granularity === 'minute') return { from: to - span, to }
  if (granularity === 'hour') return { from: bucketStart('hour', timezone, to - Math.max(span, UNIT.h)), to }
  // Days may have 23 or 25 hours: count them.
  let from = running
  for (let days = Math.round(span / UNIT.d); days > 1; days--) from = previousBucket('day', timezone, from)
  return { from, to }
}

/**
 * The buckets of a range, oldest first.
 * @throws NowcastError `invalid_query` when there are more than 5,000
 */
export function bucketsOf(range: Bucket, granularity: Granularity, timezone: string): Bucket[] {
  const buckets: Bucket[] = []
  let start = bucketStart(granularity, timezone, range.from)
  while (start < range.to) {
    if (buckets.length === QUERY_LIMITS.buckets) {
      throw new NowcastError(
        'invalid_query',
        `range: more than ${QUERY_LIMITS.buckets} buckets; ask for a shorter range or a coarser granularity`,
        { field: 'range' },
      )
    }
    const end = nextBucket(granularity, timezone, start)
    buckets.push({ from: start, to: end })
    start = end
  }
  return buckets
}
