const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** Offsets are remembered per quarter of an hour, the step in which zones have changed theirs. */
const QUARTER_MS = HOUR_MS / 4
const REMEMBERED = 50_000

export function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: zone })
    return true
  } catch {
    return false
  }
}

/**
 * Converts wall-clock times of a zone, given as epoch ms as if they were UTC, to epoch ms.
 * A time that a clock change skips is taken with the offset before it, one that happens twice is the earlier: what
 * Temporal calls `compatible`.
 * @param zone IANA name
 */
export function createZonedTime(zone: string): (wallMs: number) => number {
  if (zone === 'UTC') return (wallMs) => wallMs
  const clock = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    calendar: 'gregory',
    hourCycle: 'h23',
    era: 'short',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  const offsets = new Map<number, number>()

  /** What the zone's clock shows at an instant, less the instant, in ms. */
  function offsetAt(instant: number): number {
    const part: Record<string, string> = {}
    for (const { type, value } of clock.formatToParts(instant)) part[type] = value
    const year = part.era === 'BC' ? 1 - Number(part.year) : Number(part.year)
    const shown = Date.UTC(
      year,
      Number(part.month) - 1,
      Number(part.day),
      Number(part.hour),
      Number(part.minute),
      Number(part.second),
    )
    return shown - Math.floor(instant / 1000) * 1000
  }

  function offsetOfWall(wallMs: number): number {
    const before = offsetAt(wallMs - DAY_MS)
    const after = offsetAt(wallMs + DAY_MS)
    if (before === after) return before
    const fits = [before, after].filter((offset) => offsetAt(wallMs - offset) === offset)
    return fits.length === 0 ? before : Math.max(...fits)
  }

  return (wallMs) => {
    const quarter = Math.floor(wallMs / QUARTER_MS)
    let offset = offsets.get(quarter)
    if (offset === undefined) {
      offset = offsetOfWall(quarter * QUARTER_MS)
      if (offsets.size >= REMEMBERED) offsets.clear()
      offsets.set(quarter, offset)
    }
    return wallMs - offset
  }
}
