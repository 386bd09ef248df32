import fc from 'fast-check'
import { expect, test } from 'vitest'
import { timeSegments } from './time-segments.ts'

const UNIT = { raw: 1, minute: 60_000, hour: 3_600_000, rollups: 1 }

test('segments cover a range without gap or overlap, each in whole units of its source', () => {
  const moment = fc.integer({ min: 1_700_000_000_000, max: 1_700_000_000_000 + 10 * 3_600_000 })
  const rounded = fc.tuple(moment, fc.constantFrom(1, 60_000, 3_600_000)).map(([at, unit]) => at - (at % unit))
  fc.assert(
    fc.property(rounded, rounded, fc.boolean(), fc.boolean(), (from, to, raw, wholeHours) => {
      const segments = timeSegments({ from, to, raw, wholeHours })
      if (from >= to) {
        expect(segments).toEqual([])
        return
      }
      expect(segments[0]?.from).toBe(from)
      expect(segments.at(-1)?.to).toBe(to)
      segments.forEach((segment, i) => {
        if (i > 0) expect(segment.from).toBe(segments[i - 1]?.to)
        expect(segment.from).toBeLessThan(segment.to)
        expect(segment.from % UNIT[segment.source]).toBe(0)
        expect(segment.to % UNIT[segment.source]).toBe(0)
      })
      const rawMs = segments.filter(({ source }) => source === 'raw').reduce((sum, { from, to }) => sum + to - from, 0)
      if (!raw && to - from >= 120_000) expect(rawMs).toBeLessThan(120_000)
    }),
  )
})
