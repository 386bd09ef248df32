import { OverviewTile, type OverviewTileProps } from './overview-tile.tsx'

/** Share of errors among the events of the last hour. */
export function ErrorRate(props: OverviewTileProps) {
  return <OverviewTile name="errorRateLastHour" {...props} />
}
