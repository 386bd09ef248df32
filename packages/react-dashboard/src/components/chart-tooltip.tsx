import type { Point, SeriesAnswer } from '@nowcast/protocol'
import { bucketTime } from '../format/format-time.ts'
import { longValue, shortValue } from '../format/format-value.ts'
import { METRIC_UNIT } from '../format/metric-unit.ts'
import { valueName } from '../format/value-name.ts'
import { useNowcast } from '../hooks/nowcast-context.ts'
import { seriesColor } from './series-color.ts'

export interface ChartTooltipProps {
  answer: SeriesAnswer
  dimension: string | undefined
  /** Start of the bucket, epoch ms. */
  t: number
}

interface Line {
  name: string
  color: string
  point: Point
}

/** What a chart says about one bucket. */
export function ChartTooltip({ answer, dimension, t }: ChartTooltipProps) {
  const { labels, locale } = useNowcast()
  const { metric, granularity, timezone } = answer
  const style = { ...answer, unit: METRIC_UNIT[metric], locale }
  const lines = answer.series.flatMap(({ key, points }, index): Line[] => {
    const point = points.find((one) => one.t === t)
    const name = key === null ? labels.metrics[metric] : valueName(dimension ?? '', key, labels, locale)
    return point ? [{ name, color: seriesColor(index, key), point }] : []
  })
  if (lines.length > 1) lines.sort((a, b) => b.point.v - a.point.v)
  const { band, anomaly, partial } = lines[0]?.point ?? {}
  return (
    <div className="nowcast-tooltip">
      <p className="nowcast-tooltip-time" title={timezone}>
        {bucketTime(t, granularity, timezone, locale)}
        {partial && ` · ${labels.words.partial}`}
      </p>
      <table>
        <tbody>
          {lines.map(({ name, color, point }) => (
            <tr key={name}>
              <td>
                <span className="nowcast-swatch" style={{ background: color }} />
                {name}
              </td>
              <td>{longValue(point.v, style, point.exact)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {band && (
        <p className="nowcast-tooltip-band" data-tone={anomaly ? 'bad' : undefined}>
          {anomaly && <strong>{labels.words.unusual}. </strong>}
          {labels.words.expected} {shortValue(band.low, style)} – {shortValue(band.high, style)}
        </p>
      )}
    </div>
  )
}
