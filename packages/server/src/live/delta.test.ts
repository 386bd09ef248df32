import type { Answer, Point, SeriesAnswer } from '@nowcast/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { diffAnswers } from './delta.ts'

const BASE = { metric: 'events', asOf: 0, approximate: false, tookMs: 1 } as const

function series(from: number, values: number[], partialAt?: number): SeriesAnswer {
  const points: Point[] = values.map((v, i) => ({
    t: (from + i) * 60_000,
    v,
    ...(i === partialAt && { partial: true as const }),
  }))
  return { ...BASE, kind: 'series', granularity: 'minute', timezone: 'UTC', series: [{ key: null, points }] }
}

/** What a client does: replace and append by `t`, drop what scrolled out. */
function applied(points: Point[], changed: Point[]): Point[] {
  const byStart = new Map(points.map((point) => [point.t, point]))
  for (const point of changed) byStart.set(point.t, point)
  return [...byStart.values()].sort((a, b) => a.t - b.t).slice(-points.length)
}

test('the previous answer with its delta is the next answer', () => {
  const values = fc.array(fc.nat(3), { minLength: 10, maxLength: 10 })
  fc.assert(
    fc.property(values, values, fc.nat(12), fc.nat(9), (before, after, shift, partialAt) => {
      const previous = series(0, before, 9)
      const next = series(shift, after, partialAt)
      const change = diffAnswers(previous, next)
      const changed = change && change !== 'snapshot' ? (change.series?.[0]?.points ?? []) : []
      expect(applied(previous.series[0]?.points ?? [], changed)).toEqual(next.series[0]?.points)
    }),
  )
})

test('an answer that did not change has no delta, whatever the time', () => {
  const total: Answer = { ...BASE, kind: 'total', v: 1, previous: { v: 0 } }
  expect(diffAnswers(total, { ...total, asOf: 5, tookMs: 9 })).toBeUndefined()
  expect(diffAnswers(series(0, [1, 2]), series(0, [1, 2]))).toBeUndefined()
  expect(diffAnswers(total, { ...total, v: 2 })).toEqual({ answer: { ...total, v: 2 } })
})

test('other keys in a broken-down series are a new snapshot', () => {
  const previous = series(0, [1])
  const next = { ...previous, series: [{ key: 'US', points: previous.series[0]?.points ?? [] }] }
  expect(diffAnswers(previous, next)).toBe('snapshot')
})

test('recent events come once', () => {
  const event = (id: string) => ({ id, name: 'click', t: 1, country: 'US', device: 'mobile', category: '(none)' })
  const answer = (...ids: string[]): Answer => ({ ...BASE, kind: 'recent', timezone: 'UTC', events: ids.map(event) })
  expect(diffAnswers(answer('b', 'a'), answer('c', 'b'))).toMatchObject({ answer: { events: [{ id: 'c' }] } })
  expect(diffAnswers(answer('b', 'a'), answer('b'))).toBeUndefined()
})
