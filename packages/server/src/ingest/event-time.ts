import { LIMITS } from '@nowcast/protocol'

/** A timestamp from here on (2200-01-01) is taken for a mistake; one before it that lies ahead gets the received time. */
const LATEST = 7_258_118_400_000

const ISO = /^(\d{4}-\d{2}-(\d{2}))(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)\s*(Z|[+-]\d{2}(?::?\d{2})?)?)?$/i

/** Epoch ms of epoch ms or ISO 8601 (UTC unless it says otherwise); undefined when it is neither. */
export function parseTimestamp(value: number | string): number | undefined {
  if (typeof value === 'number') return inRange(Math.trunc(value))
  const match = ISO.exec(value)
  if (!match) return undefined
  const [, date, day, time = '00:00', zone = 'Z'] = match
  // Date.parse makes 3 March of 31 February.
  if (new Date(`${date}T00:00Z`).getUTCDate() !== Number(day)) return undefined
  const offset = zone.length === 3 ? `${zone}:00` : zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone
  return inRange(Date.parse(`${date}T${time}${offset.toUpperCase()}`))
}

function inRange(ms: number): number | undefined {
  return ms >= 0 && ms < LATEST ? ms : undefined
}

/** How far the client's clock is ahead, ms; 0 when that is a second or less, or unknown. */
export function clockSkew(sentAt: number | undefined, receivedAt: number): number {
  if (sentAt === undefined) return 0
  const skew = sentAt - receivedAt
  return Math.abs(skew) > LIMITS.skewMs ? skew : 0
}

/** Final event time: the timestamp less the skew, or the received time when that lies too far in the future. */
export function eventTime(timestamp: number, skewMs: number, receivedAt: number): number {
  // Whole milliseconds: the archive refuses fractions, and clients may send their clock with some.
  const time = Math.floor(timestamp - skewMs)
  if (time > receivedAt + LIMITS.futureMs) return receivedAt
  return Math.max(0, time)
}
