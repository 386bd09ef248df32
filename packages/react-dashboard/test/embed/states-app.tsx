import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import {
  ActiveUsers,
  Breakdown,
  ConnectionStatus,
  ErrorRate,
  EventRate,
  FilterBar,
  Funnel,
  Metric,
  NowcastProvider,
  RecentEvents,
  Revenue,
  TimeSeries,
} from '../../src/index.ts'

/** Every component once, for a look at it in each of its states. */
createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <NowcastProvider url={location.origin} token="good">
      <main style={{ display: 'grid', gridTemplateColumns: 'repeat(4, minmax(0, 1fr))', gap: 16 }}>
        <h1 style={{ gridColumn: '1 / -1' }}>Our app</h1>
        <ConnectionStatus />
        <FilterBar />
        <h2 style={{ gridColumn: '1 / -1' }}>Figures</h2>
        <ActiveUsers />
        <EventRate />
        <Revenue />
        <ErrorRate />
        <Metric metric="average_order_value" last="7d" />
        <div style={{ gridColumn: 'span 3' }}>
          <TimeSeries metric="events" anomalies compare="day" />
        </div>
        <div style={{ gridColumn: 'span 4' }}>
          <TimeSeries metric="revenue" breakdown="country" stacked />
        </div>
        <Breakdown dimension="country" />
        <Breakdown dimension="device" metric="revenue" />
        <Funnel title="To the purchase" steps={[{ name: 'page_view' }, { name: 'search' }, { name: 'purchase' }]} />
        <RecentEvents limit={8} />
      </main>
    </NowcastProvider>
  </StrictMode>,
)
