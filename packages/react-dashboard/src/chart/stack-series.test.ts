import type { Series } from '@nowcast/protocol'
import { describe, expect, it } from 'vitest'
import { chartExtent } from './chart-extent.ts'
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

describe('refunds-lie-below-zero-and-cross-nothing', () => {
  const refunded: Series[] = [
    { key: 'DE', points: [5, -2, -1].map((v, t) => ({ t, v })) },
    { key: 'US', points: [3, 4, -3].map((v, t) => ({ t, v })) },
  ]

  it('what is sold stands on what is sold, what is refunded hangs on what is refunded', () => {
    const [de, us] = stackSeries(refunded, 100)
    const edges = (side: { low: number; high: number }[] | undefined) => side?.map(({ low, high }) => [low, high])
    expect([edges(de!.edges), edges(us!.edges)]).toEqual([
      [
        [0, 5],
        [0, 0],
        [0, 0],
      ],
      [
        [5, 8],
        [0, 4],
        [0, 0],
      ],
    ])
    expect([edges(de!.below), edges(us!.below)]).toEqual([
      [
        [0, 0],
        [0, -2],
        [0, -1],
      ],
      [
        [0, 0],
        [-2, -2],
        [-1, -4],
      ],
    ])
  })

  it('a layer has both its areas, and the chart holds them', () => {
    const [de] = stackSeries(refunded, 100)
    const scales = { x: (t: number) => t, y: (v: number) => -v }
    expect(layerPath(de!, 0, 2, scales)).toBe('M0,-5L1,0L1,0L0,0ZM0,0L1,2L1,0L0,0Z')
    expect(chartExtent(refunded, true)).toEqual([-4, 8])
  })
})
