import type { Granularity } from '@nowcast/protocol'

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const QUARTER_MS = HOUR_MS / 4
const DAY_MS = 24 * HOUR_MS
const MAX_FORMATS = 500
const formats = new Map<string, Intl.DateTimeFormat>()

/** Whether a zone's name is known. */
export function isZone(timezone: string): boolean {
  try {
    formatOf(timezone)
    return true
  } catch {
    return false
  }
}

/** How far a zone's clocks are ahead of UTC at a moment, ms. */
export function zoneOffset(timezone: string, at: number): number {
  if (timezone === 'UTC') return 0
  const parts: Record<string, number> = {}
  for (const { type, value } of formatOf(timezone).formatToParts(at)) parts[type] = Number(value)
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1000) * 1000
}

/** Start of the bucket that holds a moment, epoch ms. */
export function bucketStart(granularity: Granularity, timezone: string, at: number): number {
  if (granularity === 'minute') return Math.floor(at / MINUTE_MS) * MINUTE_MS
  if (granularity === 'hour') {
    const offset = zoneOffset(timezone, at)
    const start = Math.floor((at + offset) / HOUR_MS) * HOUR_MS - offset
    // Clocks that are turned by half an hour cut an hour in two: on quarters of it, in UTC.
    for (let from = start; from < start + HOUR_MS; from += QUARTER_MS)
      if (zoneOffset(timezone, from) === offset) return from
    return start
  }
  const local = at + zoneOffset(timezone, at)
  return localMidnight(Math.floor(local / DAY_MS) * DAY_MS, timezone)
}

/** Start of the bucket after the one that starts at `start`. */
export function nextBucket(granularity: Granularity, timezone: string, start: number): number {
  if (granularity === 'minute') return start + MINUTE_MS
  if (granularity === 'hour') {
    const offset = zoneOffset(timezone, start)
    const end = Math.floor((start + offset) / HOUR_MS) * HOUR_MS - offset + HOUR_MS
    if (zoneOffset(timezone, end - 1) === offset) return end
    for (let to = start + QUARTER_MS; to < end; to += QUARTER_MS) if (zoneOffset(timezone, to) !== offset) return to
    return end
  }
  const local = start + zoneOffset(timezone, start)
  return localMidnight(Math.floor(local / DAY_MS) * DAY_MS + DAY_MS, timezone)
}

/** Start of the bucket before the one that starts at `start`. */
export function previousBucket(granularity: Granularity, timezone: string, start: number): number {
  return bucketStart(granularity, timezone, start - 1)
}

/** UTC of a local midnight; of the first moment of the day where clocks skip midnight. */
function localMidnight(local: number, timezone: string): number {
  const before = zoneOffset(timezone, local - DAY_MS)
  const after = zoneOffset(timezone, local + DAY_MS)
  const candidates = before === after ? [before] : [Math.max(before, after), Math.min(before, after)]
  for (const offset of candidates) {
    const at = local - offset
    if (zoneOffset(timezone, at) === offset) return at
  }
  return local - Math.min(before, after)
}

function formatOf(timezone: string): Intl.DateTimeFormat {
  let format = formats.get(timezone)
  if (!format) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: timezone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
    if (formats.size >= MAX_FORMATS) formats.clear()
    formats.set(timezone, format)
  }
  return format
}
