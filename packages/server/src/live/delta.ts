import type { Answer, LiveDelta, Point, RecentAnswer, Series, SeriesAnswer } from '@nowcast/protocol'

/** What changed from one answer to the next: for a delta, for a new snapshot, or nothing. */
export type Change = Pick<LiveDelta, 'series' | 'answer'> | 'snapshot' | undefined

/** Compares two answers to the same question. */
export function diffAnswers(previous: Answer, next: Answer): Change {
  if (previous.kind === 'series' && next.kind === 'series') return diffSeries(previous, next)
  if (previous.kind === 'recent' && next.kind === 'recent') return diffRecent(previous, next)
  return substance(previous) === substance(next) ? undefined : { answer: next }
}

function diffSeries(previous: SeriesAnswer, next: SeriesAnswer): Change {
  if (JSON.stringify(previous.excluded) !== JSON.stringify(next.excluded)) return 'snapshot'
  if (previous.series.length !== next.series.length) return 'snapshot'
  const changed: Series[] = []
  for (const [i, series] of next.series.entries()) {
    const before = previous.series[i] as Series
    if (before.key !== series.key) return 'snapshot'
    const points = changedPoints(before.points, series.points)
    if (points.length > 0) changed.push({ key: series.key, points })
  }
  return changed.length > 0 ? { series: changed } : undefined
}

/** Both are ascending and without gaps, so that they can be walked side by side. */
function changedPoints(before: readonly Point[], after: readonly Point[]): Point[] {
  const changed: Point[] = []
  let i = 0
  for (const point of after) {
    while (i < before.length && (before[i] as Point).t < point.t) i++
    const old = before[i]
    if (old?.t !== point.t || !samePoint(old, point)) changed.push(point)
  }
  return changed
}

function samePoint(a: Point, b: Point): boolean {
  return (
    a.v === b.v &&
    a.exact === b.exact &&
    a.partial === b.partial &&
    a.anomaly?.score === b.anomaly?.score &&
    a.band?.low === b.band?.low &&
    a.band?.high === b.band?.high
  )
}

function diffRecent(previous: RecentAnswer, next: RecentAnswer): Change {
  const known = new Set(previous.events.map(({ id, t }) => `${t} ${id}`))
  const events = next.events.filter(({ id, t }) => !known.has(`${t} ${id}`))
  return events.length > 0 ? { answer: { ...next, events } } : undefined
}

/** An answer without what changes at every tick. */
function substance({ asOf, tookMs, ...rest }: Answer): string {
  return JSON.stringify(rest)
}
