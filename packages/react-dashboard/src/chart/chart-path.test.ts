import type { Point } from '@nowcast/protocol'
import { describe, expect, it } from 'vitest'
import { areaPath, bandPath, closedPath, partialPath } from './chart-path.ts'

const scales = { x: (t: number) => t * 10, y: (v: number) => 100 - v, width: 100 }
const points: Point[] = [
  { t: 0, v: 1 },
  { t: 1, v: 2, band: { expected: 2, low: -1, high: 4 } },
  { t: 2, v: 3, band: { expected: 2, low: 1, high: 4 } },
  { t: 3, v: 1, partial: true },
  { t: 4, v: 0, partial: true },
]

describe('running-buckets-are-drawn-apart', () => {
  it('the closed line ends where they begin', () => {
    expect(closedPath(points, scales)).toBe('M0,99L10,98L20,97')
    expect(partialPath(points, scales)).toBe('M20,97L30,99L40,100')
    expect(areaPath(points, scales)).toBe('M0,99L10,98L20,97L20,100L0,100Z')
  })

  it('narrow ones are dashes of their own, so that none looks like a fall', () => {
    const narrow = { ...scales, x: (t: number) => t }
    expect(partialPath(points, narrow)).toBe('M3,99m-3,0h6M4,100m-3,0h6')
  })

  it('none of them, or nothing else', () => {
    expect(partialPath(points.slice(0, 3), scales)).toBe('')
    expect(closedPath(points.slice(3), scales)).toBe('')
    expect(partialPath(points.slice(3), scales)).toBe('M30,99L40,100')
    expect(closedPath([], scales) + areaPath([], scales)).toBe('')
  })
})

it('the expected range covers the buckets that have one, and nothing below zero', () => {
  expect(bandPath(points, scales)).toBe('M10,96L20,96L20,99L10,100Z')
})
