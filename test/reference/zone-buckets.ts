import type { Granularity } from '@nowcast/protocol'

export interface Stretch {
  from: number
  to: number
}

const MINUTE = 60_000

/** Start of the bucket that holds `t`, by what the zone's clocks show. */
function bucketStart(granularity: Granularity, zone: string, t: number): number {
  if (granularity === 'minute') return t - (t % MINUTE)
  const { hour, minute, second, day } = clockOf(zone, t)
  const hourStart = t - (t % 1000) - (minute * 60 + second) * 1000
  if (granularity === 'hour') return hourStart
  // Off by an hour on the days when clocks turn.
  const guess = hourStart - hour * 60 * MINUTE
  const near = [-60, 0, 60].map((minutes) => guess + minutes * MINUTE)
  return near.find((at) => clockOf(zone, at).day === day && clockOf(zone, at - 1).day !== day) as number
}

/** All buckets of a range, the first and the last whole. */
export function bucketsOf(granularity: Granularity, zone: string, { from, to }: Stretch): Stretch[] {
  const stepMs = { minute: MINUTE, hour: 60 * MINUTE, day: 36 * 60 * MINUTE }[granularity]
  const buckets: Stretch[] = []
  for (let start = bucketStart(granularity, zone, from); start < to; ) {
    const next = bucketStart(granularity, zone, start + stepMs)
    buckets.push({ from: start, to: next })
    start = next
  }
  return buckets
}

const formats = new Map<string, Intl.DateTimeFormat>()

function clockOf(zone: string, t: number): { day: string; hour: number; minute: number; second: number } {
  let format = formats.get(zone)
  if (!format) {
    const fields = { hour: '2-digit', minute: '2-digit', second: '2-digit', day: '2-digit', month: '2-digit' } as const
    format = new Intl.DateTimeFormat('en-GB', { timeZone: zone, hourCycle: 'h23', year: 'numeric', ...fields })
    formats.set(zone, format)
  }
  const parts = Object.fromEntries(format.formatToParts(t).map(({ type, value }) => [type, value]))
  const { year, month, day, hour, minute, second } = parts
  return { day: `${year}-${month}-${day}`, hour: Number(hour), minute: Number(minute), second: Number(second) }
}
