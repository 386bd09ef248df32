import { Breakdown, ConnectionStatus, Metric, NowcastProvider, RecentEvents, TimeSeries } from '@nowcast/react'
import '@nowcast/react/style.css'
import { createRoot } from 'react-dom/client'
import './marketplace.css'

const { url, token } = globalThis.pictured

/** A page of somebody else's product, in its own colours: no component names the category, the token holds it. */
function SellerPage() {
  return (
    <NowcastProvider url={url} token={token} hints={false}>
      <div className="top">
        <strong>Marketplace</strong>
        <nav>
          <span>Products</span>
          <span>Orders</span>
          <span aria-current="page">Your figures</span>
          <span>Payouts</span>
        </nav>
        <ConnectionStatus />
      </div>
      <main>
        <h1>Shoes by Nordlauf, live</h1>
        <div className="tiles">
          <Metric metric="purchases" last="12h" label="Orders in 12 hours" />
          <Metric metric="revenue" last="12h" label="Revenue in 12 hours" />
          <Metric metric="users" last="12h" label="Visitors in 12 hours" />
        </div>
        <TimeSeries
          metric="page_views"
          last="24h"
          granularity="hour"
          breakdown="device"
          stacked
          title="Views of your products"
          height={220}
        />
        <div className="columns">
          <Breakdown dimension="country" metric="revenue" title="Countries" limit={6} />
          <RecentEvents limit={6} title="Just now" filters={{ name: ['purchase', 'add_to_cart'] }} />
        </div>
      </main>
    </NowcastProvider>
  )
}

createRoot(document.getElementById('root')).render(<SellerPage />)
