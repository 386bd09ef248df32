import { OverviewTile, type OverviewTileProps } from './overview-tile.tsx'

/** Events per second, over the last ten seconds. */
export function EventRate(props: OverviewTileProps) {
  return <OverviewTile name="eventsPerSecond" {...props} />
}
