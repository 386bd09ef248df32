import type { Point, SeriesAnswer } from '@nowcast/protocol'
import type { Compare } from '../chart/compared-series.ts'

/** What a chart, its tooltip, its legend and its table show. */
export interface ChartModel {
  answer: SeriesAnswer
  /** The dimension whose values the series are. */
  dimension: string | undefined
  /** Areas on top of each other. */
  isStacked: boolean
  /** The same buckets a day or a week before. */
  compared: { with: Compare; points: Point[] } | undefined
}
