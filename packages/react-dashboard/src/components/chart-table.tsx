import { useState } from 'react'
import { bucketTime } from '../format/format-time.ts'
import { longValue, shortValue } from '../format/format-value.ts'
import { METRIC_UNIT } from '../format/metric-unit.ts'
import { useNowcast } from '../hooks/nowcast-context.ts'
import type { ChartModel } from './chart-model.ts'
import { namedLines } from './series-lines.ts'

const PAGE_ROWS = 60

/** A chart's figures as a table, the newest first: for who cannot see the chart, or wants to copy them. */
export function ChartTable({ model, height, label }: { model: ChartModel; height: number; label: string }) {
  const { labels, locale } = useNowcast()
  const { words } = labels
  const [rows, setRows] = useState(PAGE_ROWS)
  const { answer } = model
  const style = { ...answer, unit: METRIC_UNIT[answer.metric], locale }
  const lines = namedLines(model, labels, locale).map(({ name, points }) => ({
    name,
    byTime: new Map(points.map((point) => [point.t, point])),
  }))
  const times = answer.series[0]?.points.map(({ t }) => t).reverse() ?? []
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className="nowcast-table" style={{ maxHeight: height }} tabIndex={0} aria-label={label}>
      <table>
        <thead>
          <tr>
            <th scope="col">
              {words.time} ({answer.timezone})
            </th>
            {lines.map(({ name }) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {times.slice(0, rows).map((t) => (
            <tr key={t}>
              <th scope="row">{bucketTime(t, answer.granularity, answer.timezone, locale)}</th>
              {lines.map(({ name, byTime }) => {
                const point = byTime.get(t)
                return (
                  <td key={name}>
                    {point && longValue(point.v, style, point.exact)}
                    {point?.partial && <small> {words.partial}</small>}
                    {point?.anomaly && (
                      <small>
                        {' '}
                        {point.anomaly.score > 0 ? words.unusuallyHigh : words.unusuallyLow}, {words.expected}{' '}
                        {shortValue(Math.max(0, point.anomaly.low), style)}–{shortValue(point.anomaly.high, style)}
                      </small>
                    )}
                  </td>
                )
              })}
            </tr>
          ))}
        </tbody>
      </table>
      {times.length > rows && (
        <button type="button" className="nowcast-link" onClick={() => setRows(rows + PAGE_ROWS * 4)}>
          {words.showMore}
        </button>
      )}
    </section>
  )
}
