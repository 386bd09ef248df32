import { OverviewTile, type OverviewTileProps } from './overview-tile.tsx'

/** Distinct users of the last five minutes. */
export function ActiveUsers(props: OverviewTileProps) {
  return <OverviewTile name="activeUsers" {...props} />
}
