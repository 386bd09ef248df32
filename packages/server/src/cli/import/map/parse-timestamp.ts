import { createZonedTime } from './zoned-time.ts'

/**
 * How a timestamp is written. Without one of these: ISO 8601, `Y-M-D`, `M/D/Y`, or epoch ms.
 * A time of day may follow the date: `8:26`, `08:26:00`, `8:26:00.5 PM`.
 */
export const TIMESTAMP_FORMATS = ['Y-M-D', 'M/D/Y', 'D/M/Y', 'D.M.Y', 'epoch-ms', 'epoch-s'] as const
export type TimestampFormat = (typeof TIMESTAMP_FORMATS)[number]

const DATE_AND_TIME =
  /^(\d{1,4})([-/.])(\d{1,2})\2(\d{1,4})(?:[T ,]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?(?:\s*([AaPp])[Mm])?\s*(?:(Z|z|UTC|GMT)|(?:UTC|GMT)?([+-])(\d{2}):?(\d{2})?)?$/
const EPOCH = /^[+-]?\d{1,15}(?:\.\d+)?$/
/** The first epoch ms that is taken without a format: a smaller number is more likely seconds. */
const EPOCH_MS_FROM = 1e11

const zones = new Map<string, (wallMs: number) => number>()

/**
 * A written time as epoch ms.
 * @param options.zone IANA zone of times that carry no offset of their own
 * @returns undefined when the text is not a time, or not in the format
 */
export function parseTimestamp(
  text: string,
  options: { zone: string; format?: TimestampFormat | undefined },
): number | undefined {
  const { zone, format } = options
  const trimmed = text.trim()
  if (EPOCH.test(trimmed)) {
    const value = Number(trimmed)
    if (format === 'epoch-s') return Math.round(value * 1000)
    return format === 'epoch-ms' || (format === undefined && value >= EPOCH_MS_FROM) ? Math.round(value) : undefined
  }
  const match = DATE_AND_TIME.exec(trimmed)
  if (!match) return undefined
  const [, a, separator, b, c, hourText, minute, second, fraction, half, utc, sign, zoneHours, zoneMinutes] = match
  const date = dateOf(a!, separator!, b!, c!, format)
  const hour = hourOf(hourText, half)
  if (!date || hour === undefined) return undefined
  const [year, month, day] = date
  const wall = Date.UTC(year, month - 1, day, hour, Number(minute ?? 0), Number(second ?? 0)) + msOf(fraction)
  if (!isCalendarDate(wall, hour, month, day) || Number(minute ?? 0) > 59 || Number(second ?? 0) > 60) return undefined
  if (utc) return wall
  if (sign) {
    const offset = (Number(zoneHours) * 60 + Number(zoneMinutes ?? 0)) * 60_000
    return sign === '-' ? wall + offset : wall - offset
  }
  return inZone(zone)(wall)
}

function dateOf(
  a: string,
  separator: string,
  b: string,
  c: string,
  format: TimestampFormat | undefined,
): [year: number, month: number, day: number] | undefined {
  const written = format ?? (a.length === 4 ? 'Y-M-D' : separator === '/' ? 'M/D/Y' : undefined)
  const [first, second, third] = [Number(a), Number(b), Number(c)]
  if (written === 'Y-M-D') return a.length === 4 && c.length <= 2 ? [first, second, third] : undefined
  if (c.length !== 4 || written === undefined || separator !== written[1]) return undefined
  if (written === 'M/D/Y') return [third, first, second]
  return written === 'D/M/Y' || written === 'D.M.Y' ? [third, second, first] : undefined
}

function hourOf(text: string | undefined, half: string | undefined): number | undefined {
  if (text === undefined) return half === undefined ? 0 : undefined
  const hour = Number(text)
  if (half === undefined) return hour > 23 ? undefined : hour
  if (hour < 1 || hour > 12) return undefined
  return (hour % 12) + (half.toLowerCase() === 'p' ? 12 : 0)
}

/** False for the likes of 31 February, which `Date` carries over. */
function isCalendarDate(wall: number, hour: number, month: number, day: number): boolean {
  const shown = new Date(wall - hour * 3_600_000)
  return month >= 1 && month <= 12 && shown.getUTCMonth() === month - 1 && shown.getUTCDate() === day
}

function msOf(fraction: string | undefined): number {
  return fraction === undefined ? 0 : Math.floor(Number(`0.${fraction}`) * 1000 + 1e-6)
}

function inZone(zone: string): (wallMs: number) => number {
  let convert = zones.get(zone)
  if (!convert) {
    convert = createZonedTime(zone)
    zones.set(zone, convert)
  }
  return convert
}
