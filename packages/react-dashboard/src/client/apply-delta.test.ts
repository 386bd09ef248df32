import type { Point, Series, SeriesAnswer } from '@nowcast/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { change } from '../../test/server/start-test-server.ts'
import { applyDelta } from './apply-delta.ts'

const MINUTE = 60_000
const BUCKETS = 8

function answerOf(series: Series[], asOf: number): SeriesAnswer {
  return {
    kind: 'series',
    metric: 'revenue',
    granularity: 'minute',
    timezone: 'UTC',
    approximate: false,
    tookMs: 1,
    asOf,
    series,
  }
}

/** The fresh answer at a minute, of counts that change anywhere in the range. */
function freshAnswer(minute: number, counts: Map<string, number>, keys: (string | null)[]): SeriesAnswer {
  const series = keys.map((key) => ({
    key,
    points: Array.from({ length: BUCKETS }, (_, index): Point => {
      const at = minute - BUCKETS + 1 + index
      const v = counts.get(`${key} ${at}`) ?? 0
      return { t: at * MINUTE, v, exact: v.toFixed(4), ...(at === minute ? { partial: true as const } : {}) }
    }),
  }))
  return answerOf(series, minute * MINUTE)
}

const steps = fc.array(
  fc.record({
    advance: fc.integer({ min: 0, max: 12 }),
    changes: fc.array(
      fc.record({ key: fc.integer({ min: 0, max: 2 }), ago: fc.integer({ min: 0, max: 10 }), add: fc.integer() }),
      { maxLength: 5 },
    ),
  }),
  { minLength: 1, maxLength: 20 },
)

describe('deltas-applied-equal-a-fresh-snapshot', () => {
  it.each([
    { name: 'one series', keys: [null] },
    { name: 'a breakdown', keys: ['DE', 'US', '(other)'] },
  ])('of $name', ({ keys }) => {
    fc.assert(
      fc.property(steps, (plan) => {
        const counts = new Map<string, number>()
        let minute = 1000
        let fresh = freshAnswer(minute, counts, keys)
        let held = fresh
        for (const { advance, changes } of plan) {
          minute += advance
          for (const { key, ago, add } of changes) {
            const cell = `${keys[key % keys.length]} ${minute - ago}`
            counts.set(cell, (counts.get(cell) ?? 0) + add)
          }
          const next = freshAnswer(minute, counts, keys)
          const delta = { id: 's', revision: 1, asOf: next.asOf, ...change(fresh, next) }
          held = applyDelta(held, delta, { buckets: BUCKETS, events: 0 }) as SeriesAnswer
          fresh = next
          expect(held).toEqual(fresh)
        }
      }),
    )
  })

  it('of recent events, newest first and capped', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 70 })), (arrivals) => {
        const event = (n: number) => ({ id: `e${n}`, name: 'x', t: n, country: '', device: '', category: '' })
        const recent = (from: number, to: number) => ({
          kind: 'recent' as const,
          timezone: 'UTC',
          metric: 'events' as const,
          approximate: false,
          tookMs: 1,
          asOf: to,
          events: Array.from({ length: to - from }, (_, index) => event(to - index)),
        })
        let total = 0
        let held = applyDelta(recent(0, 0), { id: 's', revision: 1, asOf: 0 }, { buckets: 0, events: 50 })
        for (const count of arrivals) {
          const delta = { id: 's', revision: 1, asOf: total + count, answer: recent(total, total + count) }
          held = applyDelta(held, delta, { buckets: 0, events: 50 })
          total += count
        }
        expect(held).toEqual(recent(Math.max(0, total - 50), total))
      }),
    )
  })
})

describe('apply-delta', () => {
  const before = freshAnswer(1000, new Map([['DE 1000', 3]]), ['DE', 'US'])
  const keep = { buckets: BUCKETS, events: 0 }

  it('keeps what did not change as the same object, and changes nothing in place', () => {
    const copy = structuredClone(before)
    const points: Point[] = [{ t: 1000 * MINUTE, v: 4, exact: '4.0000', partial: true }]
    const after = applyDelta(before, { id: 's', revision: 2, asOf: 1, series: [{ key: 'DE', points }] }, keep)
    expect(before).toEqual(copy)
    expect((after as SeriesAnswer).series[1]).toBe(before.series[1])
    expect((after as SeriesAnswer).series[0]?.points.at(-1)?.v).toBe(4)
  })

  it('gives a key that appears later the buckets of the others', () => {
    const points: Point[] = [{ t: 1000 * MINUTE, v: 1, exact: '1.0000', partial: true }]
    const after = applyDelta(before, { id: 's', revision: 2, asOf: 1, series: [{ key: 'FR', points }] }, keep)
    const [german, , french] = (after as SeriesAnswer).series
    expect(french?.points.map(({ t }) => t)).toEqual(german?.points.map(({ t }) => t))
    expect(french?.points[0]).toEqual({ t: 993 * MINUTE, v: 0, exact: '0.0000' })
  })
})
