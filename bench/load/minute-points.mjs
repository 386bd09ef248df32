const MINUTE_MS = 60_000
const DAY_MINUTES = 1440
/** Every so many minutes one is far off, as an anomaly is. */
const SPIKE_EVERY = 97

/** The bucket of a minute as it is at `now`: the running one grows, the others are closed. */
function pointAt(t, now) {
  const minute = t / MINUTE_MS
  const expected = 800 * (1 + 0.5 * Math.sin(minute / 230))
  const noise = Math.sin(minute * 12.9898) * 0.15
  const whole = expected * (1 + noise) * (minute % SPIKE_EVERY === 0 ? 1.9 : 1)
  if (now < t + MINUTE_MS) return { t, v: Math.round((whole * (now - t)) / MINUTE_MS), partial: true }
  const band = { expected, low: expected * 0.8, high: expected * 1.2 }
  const score = (whole - expected) / (expected * 0.1)
  const point = { t, v: Math.round(whole), band }
  return Math.abs(score) > 3 ? { ...point, anomaly: { ...band, score } } : point
}

/** A day of minutes that ends with the running one, each with its expected range. */
export function dayOfPoints(now) {
  const running = now - (now % MINUTE_MS)
  return Array.from({ length: DAY_MINUTES }, (_, i) => pointAt(running - (DAY_MINUTES - 1 - i) * MINUTE_MS, now))
}

/** What a second changes: the running minute, and with its first second the one that is closed now. */
export function changedPoints(now) {
  const running = now - (now % MINUTE_MS)
  const times = now - running < 1000 ? [running - MINUTE_MS, running] : [running]
  return times.map((t) => pointAt(t, now))
}
