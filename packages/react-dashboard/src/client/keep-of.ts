import type { Answer, Granularity, LiveQuery } from '@nowcast/protocol'
import type { Keep } from './apply-delta.ts'
import { spanMs } from './span-ms.ts'

const BUCKET_MS: Record<Granularity, number> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 }
const DEFAULT_EVENTS = 50

/** How much of a query's answer to keep: as many buckets as its snapshot has, where the range moves with time. */
export function keepOf(query: LiveQuery, snapshot: Answer): Keep {
  const events = query.limit ?? DEFAULT_EVENTS
  if (snapshot.kind !== 'series') return { buckets: 0, events }
  const range = query.range ?? { last: '24h' }
  if (!('last' in range)) return { buckets: Number.POSITIVE_INFINITY, events }
  const held = Math.max(0, ...snapshot.series.map((series) => series.points.length))
  // A breakdown in which nothing happened yet has no series to count the buckets of.
  return { buckets: held || Math.ceil(spanMs(range.last) / BUCKET_MS[snapshot.granularity]), events }
}
