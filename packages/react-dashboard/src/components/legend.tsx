import { valueName } from '../format/value-name.ts'
import { useNowcast } from '../hooks/nowcast-context.ts'
import { seriesColor } from './series-color.ts'

/** The names of a broken-down chart's lines. */
export function Legend({ dimension, keys }: { dimension: string; keys: (string | null)[] }) {
  const { labels, locale } = useNowcast()
  return (
    <ul className="nowcast-legend">
      {keys.map((key, index) => (
        <li key={key}>
          <span className="nowcast-swatch" style={{ background: seriesColor(index, key) }} />
          {valueName(dimension, key ?? '', labels, locale)}
        </li>
      ))}
    </ul>
  )
}
