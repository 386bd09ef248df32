import type { Series } from '@nowcast/protocol'
import { describe, expect, it } from 'vitest'
import { layerPath, stackSeries } from './stack-series.ts'

const series: Series[] = [
  {
    key: 'DE',
    points: [
      { t: 0, v: 1 },
      { t: 1, v: 2 },
      { t: 2, v: 3, partial: true },
    ],
  },
  {
    key: 'US',
    points: [
      { t: 0, v: 10 },
      { t: 1, v: 20 },
      { t: 2, v: 30, partial: true },
    ],
  },
]

describe('the-top-of-a-stack-is-the-sum', () => {
  it('at every time', () => {
    const layers = stackSeries(series, 100)
    expect(layers.map(({ edges }) => edges.map(({ high }) => high))).toEqual([
      [1, 2, 3],
      [11, 22, 33],
    ])
    expect(layers[1]!.edges.map(({ low }) => low)).toEqual([1, 2, 3])
    expect(layers.map(({ closed }) => closed)).toEqual([2, 2])
  })

  it('an area goes along the tops and back along the bottoms', () => {
    const [, top] = stackSeries(series, 100)
    const scales = { x: (t: number) => t, y: (v: number) => -v }
    expect(layerPath(top!, 0, 2, scales)).toBe('M0,-11L1,-22L1,-2L0,-1Z')
  })
})
