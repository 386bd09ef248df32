import type { Filters, Metric, TileName } from '@nowcast/protocol'
import { useNowcast } from '../hooks/nowcast-context.ts'
import { useLive } from '../hooks/use-live.ts'
import type { RenderFigure } from './figure-value.tsx'
import { Tile } from './tile.tsx'

/** Props of the tiles that share the overview. */
export interface OverviewTileProps {
  /** In place of the label of its own. */
  label?: string
  /** Over the filters around. */
  filters?: Filters
  className?: string
  /** Writes the figure in your own way. */
  renderValue?: RenderFigure
}

/** The metric a tile is written as. */
const TILE_METRIC: Record<TileName, Metric> = {
  activeUsers: 'active_users',
  eventsPerSecond: 'events_per_second',
  revenueLastHour: 'revenue',
  pageViewsLastHour: 'page_views',
  errorRateLastHour: 'error_rate',
  conversionRateLastHour: 'conversion_rate',
}

/** One tile of the overview; all tiles with the same filters share one subscription. */
export function OverviewTile(props: OverviewTileProps & { name: TileName }) {
  const { name, label, filters, className, renderValue } = props
  const { labels } = useNowcast()
  const { data, ...state } = useLive({ kind: 'overview', filters })
  const tile = data?.tiles[name]
  return (
    <Tile
      label={label ?? labels.tiles[name]}
      metric={TILE_METRIC[name]}
      against={labels.tilePrevious[name]}
      state={state}
      figure={tile && { ...tile, excluded: name === 'revenueLastHour' ? data.excluded : undefined }}
      hasSpark
      renderValue={renderValue}
      className={className}
    />
  )
}
