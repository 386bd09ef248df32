import type { Filters, Metric, TileName } from '@nowcast/protocol'
import { useNowcast } from '../hooks/nowcast-context.ts'
import { useLive } from '../hooks/use-live.ts'
import { Tile } from './tile.tsx'

/** Props of the tiles that share the overview. */
export interface OverviewTileProps {
  /** In place of the label of its own. */
  label?: string
  /** Over the filters around. */
  filters?: Filters
  className?: string
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
export function OverviewTile({ name, label, filters, className }: OverviewTileProps & { name: TileName }) {
  const { labels } = useNowcast()
  const { data, status, error } = useLive({ kind: 'overview', filters })
  const tile = data?.tiles[name]
  return (
    <Tile
      label={label ?? labels.tiles[name]}
      metric={TILE_METRIC[name]}
      against={labels.tilePrevious[name]}
      state={{ status, error }}
      figure={tile && { ...tile, excluded: name === 'revenueLastHour' ? data.excluded : undefined }}
      hasSpark
      className={className}
    />
  )
}
