import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { NowcastProvider, TimeSeries } from '../../src/index.ts'

const props = { last: '30m', granularity: 'minute', anomalies: true } as const

/** Charts that all see the same unusual minutes, two of them of one metric. */
createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <NowcastProvider url={location.origin} token="good">
      <TimeSeries metric="errors" {...props} />
      <TimeSeries metric="errors" title="Again" {...props} />
      <TimeSeries metric="purchases" {...props} />
      <TimeSeries metric="clicks" {...props} />
    </NowcastProvider>
    <NowcastProvider url={location.origin} token="another">
      <TimeSeries metric="events" {...props} />
    </NowcastProvider>
  </StrictMode>,
)
