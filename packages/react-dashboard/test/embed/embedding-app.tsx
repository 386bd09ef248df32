import { StrictMode, useState } from 'react'
import { createRoot } from 'react-dom/client'
import {
  ActiveUsers,
  Breakdown,
  ConnectionStatus,
  ErrorRate,
  EventRate,
  Metric,
  NowcastProvider,
  Revenue,
  TimeSeries,
  useLive,
} from '../../src/index.ts'

let fetched = 0

function Total() {
  const { data } = useLive({ kind: 'total', metric: 'events', range: { last: '24h' } })
  return <output id="total">{data?.v}</output>
}

/** A host's own page, with the parts it likes, in Strict Mode. */
function App() {
  const [isShown, setShown] = useState(true)
  const [renders, setRenders] = useState(0)
  return (
    <NowcastProvider
      url={new URLSearchParams(location.search).get('url') ?? ''}
      token={async () => `token ${++fetched}`}
      filters={{ country: ['DE', 'US'] }}
      theme="dark"
      labels={{ tiles: { activeUsers: 'Gerade da' } }}
      locale="de-DE"
    >
      <button type="button" onClick={() => setShown(!isShown)}>
        toggle
      </button>
      <button type="button" onClick={() => setRenders(renders + 1)}>
        render
      </button>
      <output id="fetched">{`${fetched} fetched, ${renders} renders`}</output>
      {isShown && (
        <>
          <ConnectionStatus />
          <ActiveUsers />
          <ActiveUsers label="Again" />
          <EventRate />
          <Revenue />
          <ErrorRate />
          <Metric metric="events" />
          <Total />
          <TimeSeries metric="revenue" last="24h" breakdown="country" />
          <TimeSeries metric="errors" last="24h" anomalies />
          <TimeSeries metric="revenue" breakdown="nonsense" />
          <Breakdown dimension="device" />
        </>
      )}
    </NowcastProvider>
  )
}

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <App />
  </StrictMode>,
)
