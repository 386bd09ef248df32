import type { Point } from '@nowcast/protocol'
import { seriesColor } from '../chart/series-color.ts'
import { valueName } from '../format/value-name.ts'
import type { Labels } from '../labels.ts'
import type { ChartModel } from './chart-model.ts'

/** One line of a chart as legend, tooltip and table name it. */
export interface NamedLine {
  name: string
  /** CSS colour; undefined for what is compared with. */
  color: string | undefined
  points: readonly Point[]
}

/** The lines of a chart in their order, what is compared with last. */
export function namedLines({ answer, dimension, compared }: ChartModel, labels: Labels, locale?: string): NamedLine[] {
  const lines = answer.series.map(
    ({ key, points }, index): NamedLine => ({
      name: key === null ? labels.metrics[answer.metric] : valueName(dimension ?? '', key, labels, locale),
      color: seriesColor(index, key),
      points,
    }),
  )
  if (!compared) return lines
  const name = compared.with === 'day' ? labels.words.dayBefore : labels.words.weekBefore
  return [...lines, { name, color: undefined, points: compared.points }]
}
