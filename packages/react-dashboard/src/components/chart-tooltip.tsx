import type { Point } from '@nowcast/protocol'
import { bucketTime } from '../format/format-time.ts'
import { longValue, shortValue, type ValueStyle } from '../format/format-value.ts'
import { METRIC_UNIT } from '../format/metric-unit.ts'
import { useNowcast } from '../hooks/nowcast-context.ts'
import type { Labels } from '../labels.ts'
import type { ChartModel } from './chart-model.ts'
import { namedLines } from './series-lines.ts'

/** What a chart says about one bucket; `t` is its start, epoch ms. */
export function ChartTooltip({ model, t }: { model: ChartModel; t: number }) {
  const { labels, locale } = useNowcast()
  const { answer } = model
  const style = { ...answer, unit: METRIC_UNIT[answer.metric], locale }
  const lines = namedLines(model, labels, locale).flatMap(({ points, ...line }) => {
    const point = points.find((one) => one.t === t)
    return point ? [{ ...line, point }] : []
  })
  const [first] = lines
  // The order of what is stacked is that of the layers, seen from above.
  if (model.isStacked) lines.reverse()
  else if (answer.series.length > 1) lines.sort((a, b) => b.point.v - a.point.v)
  const sum = model.isStacked ? lines.reduce((total, { point }) => total + point.v, 0) : undefined
  return (
    <div className="nowcast-tooltip">
      <p className="nowcast-tooltip-time" title={answer.timezone}>
        {bucketTime(t, answer.granularity, answer.timezone, locale)}
        {first?.point.partial && ` · ${labels.words.partial}`}
      </p>
      <table>
        <tbody>
          {lines.map(({ name, color, point }) => (
            <tr key={name}>
              <td>
                <Swatch color={color} />
                {name}
              </td>
              <td>{longValue(point.v, style, point.exact)}</td>
            </tr>
          ))}
          {sum !== undefined && (
            <tr className="nowcast-tooltip-total">
              <td>{labels.words.total}</td>
              <td>{longValue(sum, style)}</td>
            </tr>
          )}
        </tbody>
      </table>
      {first?.point.band && <Expectation point={first.point} style={style} labels={labels} model={model} />}
    </div>
  )
}

/** The colour of a line, or the dashes of what is compared with. */
export function Swatch({ color }: { color: string | undefined }) {
  return (
    <span className="nowcast-swatch" data-compared={!color || undefined} style={color ? { background: color } : {}} />
  )
}

interface ExpectationProps {
  point: Point
  style: ValueStyle
  labels: Labels
  model: ChartModel
}

/** In plain words: `Unusually high: 312 errors, expected 20–58`. */
function Expectation({ point: { v, band, anomaly }, style, labels, model }: ExpectationProps) {
  const { words, counted } = labels
  if (!band) return null
  const range = `${words.expected} ${shortValue(Math.max(0, band.low), style)}–${shortValue(band.high, style)}`
  if (!anomaly) return <p className="nowcast-tooltip-band">{range}</p>
  const figure = `${shortValue(v, style)} ${counted[model.answer.metric]}`.trim()
  return (
    <p className="nowcast-tooltip-band" data-tone="bad">
      <strong>{anomaly.score > 0 ? words.unusuallyHigh : words.unusuallyLow}:</strong> {figure}, {range}
    </p>
  )
}
