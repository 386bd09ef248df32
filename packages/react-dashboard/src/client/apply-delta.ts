import type { Answer, LiveDelta, Point, RecentAnswer, Series, SeriesAnswer } from '@nowcast/protocol'
import { mergePoints } from './merge-points.ts'

/** How much of an answer the client keeps as it grows. */
export interface Keep {
  /** Buckets of a series; the rest has scrolled out of the range. */
  buckets: number
  /** Events of `recent`. */
  events: number
}

/** The answer after a delta; parts that did not change stay the same objects. */
export function applyDelta(answer: Answer, delta: LiveDelta, keep: Keep): Answer {
  if (answer.kind === 'series' && delta.series) return applySeries(answer, delta.series, delta.asOf, keep.buckets)
  if (!delta.answer) return { ...answer, asOf: delta.asOf }
  if (answer.kind === 'recent' && delta.answer.kind === 'recent') return prepend(answer, delta.answer, keep.events)
  return delta.answer
}

function prepend(answer: RecentAnswer, added: RecentAnswer, keep: number): RecentAnswer {
  return { ...added, events: [...added.events, ...answer.events].slice(0, keep) }
}

function applySeries(answer: SeriesAnswer, changed: Series[], asOf: number, keep: number): SeriesAnswer {
  const changedByKey = new Map(changed.map((series) => [series.key, series.points]))
  const merged = answer.series.map(({ key, points }) => {
    const own = changedByKey.get(key)
    changedByKey.delete(key)
    return { key, points: own ? mergePoints(points, own, keep) : points }
  })
  for (const [key, points] of changedByKey) merged.push({ key, points: mergePoints([], points, keep) })
  return { ...answer, asOf, series: align(merged, answer.series, keep) }
}

/** Gives every series the same buckets: one that was not mentioned in a new bucket has nothing in it. */
function align(series: Series[], before: Series[], keep: number): Series[] {
  if (series.length === 1) return series.map((one) => unchanged(one, before))
  const samples = new Map<number, Point>()
  for (const { points } of series) for (const point of points) if (!samples.has(point.t)) samples.set(point.t, point)
  const times = [...samples.keys()].sort((a, b) => a - b).slice(-keep)
  return series.map(({ key, points }) => {
    if (points.length === times.length && points[0]?.t === times[0]) return unchanged({ key, points }, before)
    const held = new Map(points.map((point) => [point.t, point]))
    return { key, points: times.map((t) => held.get(t) ?? emptyPoint(samples.get(t)!)) }
  })
}

function unchanged(series: Series, before: Series[]): Series {
  return before.find((one) => one.key === series.key && one.points === series.points) ?? series
}

function emptyPoint(sample: Point): Point {
  const point: Point = { t: sample.t, v: 0 }
  if (sample.exact !== undefined) point.exact = '0.0000'
  if (sample.partial) point.partial = true
  return point
}
