import type { Point } from '@nowcast/protocol'
import { expect, test } from 'vitest'
import { markByPrevious, markByWeeks } from './mark-anomalies.ts'

const MINUTE = 60_000
const anomalies = { baseline: 'previous', sigma: 2 } as const
const pointsOf = (values: number[]): Point[] => values.map((v, i) => ({ t: i * MINUTE, v }))

test('a point is judged by the 60 closed points before it and by no other', () => {
  // Within the 60 before the last one all is flat; what was before them would widen the band.
  const points = pointsOf([...Array.from({ length: 30 }, (_, i) => i * 100), ...new Array(60).fill(5), 6])
  markByPrevious(points, 0, { anomalies, firstEventAt: 0 })
  expect(points.at(-1)?.anomaly).toEqual({ score: 99, expected: 5, low: 5, high: 5 })
})

test('time before the first event is no baseline, the bucket that holds it is one', () => {
  const values = [...new Array(40).fill(0), ...new Array(9).fill(5), 5, 9]
  const points = pointsOf(values)
  markByPrevious(points, 0, { anomalies, firstEventAt: 40 * MINUTE + 30_000 })
  expect(points.findIndex(({ band }) => band)).toBe(50)
  expect(points[50]?.anomaly?.score).toBe(99)
  const unknown = pointsOf(values)
  markByPrevious(unknown, 0, { anomalies, firstEventAt: undefined })
  expect(unknown.some(({ band }) => band)).toBe(false)
})

test('a point whose baseline reaches into what is not known is not judged', () => {
  const values = [...new Array(70).fill(5), 6]
  const late = pointsOf(values)
  markByPrevious(late, 0, { anomalies, firstEventAt: 0 }, true)
  expect(late.map(({ band }) => band !== undefined)).toEqual(values.map((_, i) => i >= 60))
  expect(late.at(-1)?.anomaly?.score).toBe(99)
  const maybeEarlier = pointsOf(values)
  markByPrevious(maybeEarlier, 0, { anomalies, firstEventAt: 8 * MINUTE }, true)
  expect(maybeEarlier.findIndex(({ band }) => band)).toBe(68)
})

test('a running point has a band and is not judged; it is in no baseline', () => {
  const points = pointsOf([...new Array(20).fill(5), 500, 900])
  for (const point of points.slice(20)) point.partial = true
  markByPrevious(points, 0, { anomalies, firstEventAt: 0 })
  for (const point of points.slice(20)) {
    expect(point.band).toEqual({ expected: 5, low: 5, high: 5 })
    expect(point.anomaly).toBeUndefined()
  }
})

test('a seasonal point is judged by the same bucket of the weeks since the first event', () => {
  const points = pointsOf([100, 7])
  const week = (at: number, ...values: number[]) => values.map((v, i) => ({ t: at + i, v }))
  const weeks = [week(900, 98, 7), week(800, 100, 7), week(700, 102, 7), week(100, 0, 0)]
  markByWeeks(points, weeks, { anomalies: { baseline: 'seasonal', sigma: 2 }, firstEventAt: 700 })
  expect(points[0]).toEqual({ t: 0, v: 100, band: { expected: 100, low: 96, high: 104 } })
  expect(points[1]?.anomaly).toBeUndefined()
  points[1] = { t: MINUTE, v: 8 }
  markByWeeks(points, weeks, { anomalies: { baseline: 'seasonal', sigma: 2 }, firstEventAt: 700 })
  expect(points[1]?.anomaly?.score).toBe(99)
})
