import type { FunnelAnswer, FunnelStep } from '@nowcast/protocol'
import type { KnownEvent } from './metric-of.ts'

/** Users who came to each step, by following every attempt; events stand in the order in which they were sent. */
export function funnelOf(events: readonly KnownEvent[], steps: readonly FunnelStep[], windowMs: number): number[] {
  const byUser = new Map<string, KnownEvent[]>()
  // The sort is stable: events of one moment stay in the order of the log.
  for (const event of [...events].sort((a, b) => a.t - b.t))
    byUser.set(event.user, [...(byUser.get(event.user) ?? []), event])
  const furthest = Array.from(byUser.values(), (own) =>
    Math.max(...own.map((start, i) => followed(own.slice(i), start.t + windowMs, steps))),
  )
  return steps.map((_, i) => furthest.filter((step) => step > i).length)
}

function followed(own: readonly KnownEvent[], until: number, steps: readonly FunnelStep[]): number {
  let step = 0
  for (const [i, event] of own.entries()) {
    const wanted = steps[step]
    if (!wanted) break
    const fits =
      event.t <= until &&
      event.name === wanted.name &&
      Object.entries(wanted.filters ?? {}).every(([dimension, values]) =>
        values.includes(event.dimensions[dimension] as string),
      )
    // An attempt begins with its first event.
    if (i === 0 && !fits) return 0
    if (fits) step++
  }
  return step
}

/** A funnel's answer from its users a step. */
export function stepsOf(steps: readonly FunnelStep[], users: readonly number[]): FunnelAnswer['steps'] {
  const ratio = (part = 0, whole = 0) => (whole === 0 ? 0 : part / whole)
  return steps.map(({ name }, i) => ({
    name,
    users: users[i] as number,
    rate: ratio(users[i], users[0]),
    stepRate: ratio(users[i], users[Math.max(0, i - 1)]),
  }))
}
