import type { Granularity } from '@nowcast/protocol'

export interface Stretch {
  from: number
  to: number
}

const MINUTE = 60_000
const QUARTER = 15 * MINUTE

/** What the zone's clocks show throughout the bucket that holds `t`, and at no other time beside it. */
function shownAt(granularity: Granularity, zone: string, t: number): string {
  if (granularity === 'minute') return String(Math.floor(t / MINUTE))
  const { day, hour, minute, second } = clockOf(zone, t)
  if (granularity === 'day') return day
  // The hour that is shown twice when clocks are turned back is two.
  const ahead = Date.parse(`${day}T00:00:00Z`) + (hour * 60 + minute) * MINUTE + second * 1000 - (t - (t % 1000))
  return `${day} ${hour} ${ahead}`
}

/** All buckets of a range, the first and the last whole. */
export function bucketsOf(granularity: Granularity, zone: string, { from, to }: Stretch): Stretch[] {
  // Clocks are turned at quarters of an hour.
  const step = granularity === 'minute' ? MINUTE : QUARTER
  const isOneBucket = (a: number, b: number) => shownAt(granularity, zone, a) === shownAt(granularity, zone, b)
  const buckets: Stretch[] = []
  let start = from - (from % step)
  while (isOneBucket(start - step, from)) start -= step
  while (start < to) {
    let next = start + step
    while (isOneBucket(start, next)) next += step
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
