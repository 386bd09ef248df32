import { zoneOffsetMs } from './zone-offset-ms.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 2, 5, 7, 14, 30, 90].map((n) => n * DAY),
]

/** Marks of a time axis: at most `most`, at round times of the zone's wall clock. */
export function timeTicks(from: number, to: number, timeZone: string, most = 8): number[] {
  const step = STEPS.find((candidate) => (to - from) / candidate <= most) ?? STEPS.at(-1)!
  const ticks: number[] = []
  const wallFrom = from + zoneOffsetMs(from, timeZone)
  for (let wall = Math.ceil(wallFrom / step) * step; ; wall += step) {
    // The offset near the tick, looked up twice, since the first look may fall on the other side of a clock change.
    const guess = wall - zoneOffsetMs(wall, timeZone)
    const tick = wall - zoneOffsetMs(guess, timeZone)
    if (tick > to) return ticks
    if (tick >= from && tick > (ticks.at(-1) ?? Number.NEGATIVE_INFINITY)) ticks.push(tick)
  }
}
