import type { OffsetRange } from '../ports/event-store.ts'

/** Tells whether an offset lies in one of some ranges. @param ranges ascending, without overlap */
export function withinRanges(ranges: readonly OffsetRange[]): (offset: number) => boolean {
  return (offset) => {
    let low = 0
    let high = ranges.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((ranges[middle] as OffsetRange).to > offset) high = middle
      else low = middle + 1
    }
    return (ranges[low]?.from ?? Number.POSITIVE_INFINITY) <= offset
  }
}
