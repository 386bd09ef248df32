import { useNowcast } from '../hooks/nowcast-context.ts'
import type { ChartModel } from './chart-model.ts'
import { Swatch } from './chart-tooltip.tsx'
import { namedLines } from './series-lines.ts'

/** The names of a chart's lines, and of the marks in it. */
export function Legend({ model }: { model: ChartModel }) {
  const { labels, locale } = useNowcast()
  const lines = namedLines(model, labels, locale)
  const hasBand = model.answer.series.length === 1 && model.answer.series[0]!.points.some(({ band }) => band)
  return (
    <ul className="nowcast-legend">
      {lines.length > 1 &&
        lines.map(({ name, color }) => (
          <li key={name}>
            <Swatch color={color} />
            {name}
          </li>
        ))}
      {hasBand && (
        <>
          <li>
            <span className="nowcast-swatch nowcast-swatch-band" />
            {labels.words.expectedRange}
          </li>
          <li>
            <svg className="nowcast-swatch-mark" viewBox="0 0 10 10" aria-hidden="true">
              <path d="M5,0l5,5l-5,5l-5,-5z" />
            </svg>
            {labels.words.unusual}
          </li>
        </>
      )}
    </ul>
  )
}
