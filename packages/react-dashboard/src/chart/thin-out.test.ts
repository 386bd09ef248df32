import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { thinOut } from './thin-out.ts'

const values = fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1, maxLength: 3000 })
const widths = fc.integer({ min: 4, max: 1500 })
const pointsOf = (list: number[]) => list.map((v, t) => ({ t, v }))

describe('no-more-points-than-pixels-and-no-extreme-lost', () => {
  it('of any line', () => {
    fc.assert(
      fc.property(values, widths, (list, width) => {
        const points = pointsOf(list)
        const thin = thinOut(points, width)
        expect(thin.length).toBeLessThanOrEqual(width)
        expect(Math.max(...thin.map(({ v }) => v))).toBe(Math.max(...list))
        expect(Math.min(...thin.map(({ v }) => v))).toBe(Math.min(...list))
        expect([thin[0], thin.at(-1)]).toEqual([points[0], points.at(-1)])
        for (let index = 1; index < thin.length; index++) expect(thin[index]!.t).toBeGreaterThan(thin[index - 1]!.t)
      }),
    )
  })

  it('within every two columns the lowest and the highest are drawn', () => {
    const spikes = pointsOf(Array.from({ length: 1440 }, (_, t) => (t === 700 ? 9 : t === 701 ? -9 : 1)))
    const thin = thinOut(spikes, 300)
    expect(thin.filter(({ v }) => Math.abs(v) === 9)).toEqual([
      { t: 700, v: 9 },
      { t: 701, v: -9 },
    ])
  })

  it('fewer points than pixels stay as they are', () => {
    const points = pointsOf([1, 2, 3])
    expect(thinOut(points, 300)).toBe(points)
  })
})
