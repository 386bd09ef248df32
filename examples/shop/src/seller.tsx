import { Breakdown, ConnectionStatus, Metric, NowcastProvider, RecentEvents, TimeSeries } from '@nowcast/react'
import '@nowcast/react/style.css'

// Called again when the token has expired.
const token = async () => (await fetch('/seller-token')).text()

/** No component names the category: the token holds it. */
export function Seller() {
  return (
    <NowcastProvider url={`${location.origin}/analytics`} token={token} hints={false}>
      <h1>Your shoes, live</h1>
      <ConnectionStatus />
      <div className="tiles">
        <Metric metric="purchases" last="24h" label="Sold in 24 hours" />
        <Metric metric="revenue" last="24h" label="Revenue in 24 hours" />
      </div>
      <TimeSeries metric="revenue" last="1h" title="Revenue of the last hour" />
      <Breakdown dimension="category" metric="purchases" title="Sold by category" limit={3} />
      <RecentEvents limit={10} title="Just now" />
    </NowcastProvider>
  )
}
