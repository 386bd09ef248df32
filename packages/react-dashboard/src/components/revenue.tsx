import { OverviewTile, type OverviewTileProps } from './overview-tile.tsx'

/** Revenue of the last hour, in the project's currency. */
export function Revenue(props: OverviewTileProps) {
  return <OverviewTile name="revenueLastHour" {...props} />
}
