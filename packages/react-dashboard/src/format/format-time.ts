import type { Granularity } from '@nowcast/protocol'
import { dateFormat } from './date-format.ts'
import { zoneOffsetMs } from './zone-offset-ms.ts'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const CLOCK = { hour: 'numeric', minute: '2-digit' } as const
const DATE = { day: 'numeric', month: 'short' } as const

/** A mark of a time axis: the clock, or the date at midnight. */
export function tickTime(t: number, timeZone: string, locale?: string): string {
  const isMidnight = (t + zoneOffsetMs(t, timeZone)) % DAY_MS === 0
  return dateFormat(locale, { timeZone, ...(isMidnight ? DATE : CLOCK) }).format(t)
}

const SECONDS = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' } as const

/** The time of one event to the second, by the same clock as the charts. */
export function clockTime(t: number, timeZone: string, locale?: string): string {
  return dateFormat(locale, { timeZone, ...SECONDS }).format(t)
}

/** The time of one bucket, as a tooltip says it. */
export function bucketTime(t: number, granularity: Granularity, timeZone: string, locale?: string): string {
  const day = dateFormat(locale, { timeZone, weekday: 'short', ...DATE }).format(t)
  if (granularity === 'day') return day
  const clock = dateFormat(locale, { timeZone, ...CLOCK })
  if (granularity === 'minute') return `${day}, ${clock.format(t)}`
  return `${day}, ${clock.format(t)} – ${clock.format(t + HOUR_MS)}`
}
