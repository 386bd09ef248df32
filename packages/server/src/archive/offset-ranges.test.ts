import fc from 'fast-check'
import { expect, test } from 'vitest'
import { withinRanges } from './offset-ranges.ts'

test('an offset is told to be within or not, for any ranges', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(60)), (offsets) => {
      const ranges: { from: number; to: number }[] = []
      for (const offset of offsets.toSorted((a, b) => a - b)) {
        const last = ranges.at(-1)
        if (last?.to === offset) last.to++
        else ranges.push({ from: offset, to: offset + 1 })
      }
      const isWithin = withinRanges(ranges)
      for (let offset = -1; offset < 63; offset++) expect(isWithin(offset)).toBe(offsets.includes(offset))
    }),
  )
})
