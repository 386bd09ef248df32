import type { Series } from '@nowcast/protocol'
import type { Scales } from '../chart/chart-path.ts'
import { seriesColor } from '../chart/series-color.ts'
import { layerPath, stackSeries } from '../chart/stack-series.ts'

/** Areas on top of each other, the first at the bottom; what is not complete yet is paler and dashed. */
export function ChartStack({ series, scales }: { series: Series[]; scales: Scales }) {
  return stackSeries(series, scales.width).map((layer, index) => (
    <g key={layer.key} fill={seriesColor(index, layer.key)} stroke={seriesColor(index, layer.key)}>
      <path className="nowcast-layer" d={layerPath(layer, 0, layer.closed, scales)} />
      <path
        className="nowcast-layer nowcast-partial"
        d={layerPath(layer, layer.closed - 1, layer.edges.length, scales)}
      />
    </g>
  ))
}
