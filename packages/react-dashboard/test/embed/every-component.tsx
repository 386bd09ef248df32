import { StrictMode } from 'react'
import {
  ActiveUsers,
  Breakdown,
  ConnectionStatus,
  Dashboard,
  ErrorRate,
  EventRate,
  FilterBar,
  Funnel,
  Metric,
  NowcastProvider,
  RecentEvents,
  Revenue,
  TimeSeries,
  useConnection,
  useFilters,
  useLive,
  useQuery,
} from '../../src/index.ts'

/** Fails to compile if the declarations have lost a type, which would make it `any` in silence. */
type IsAny<T> = 0 extends 1 & T ? true : false
export const notAny: [IsAny<typeof Dashboard>, IsAny<ReturnType<typeof useQuery>>] = [false, false]

function Hooks() {
  const live = useLive({ kind: 'total', metric: 'purchases', range: { last: '1h' } })
  const once = useQuery({ kind: 'total', metric: 'clicks', range: { last: '1h' } })
  const { filters } = useFilters()
  const { status } = useConnection()
  return <output id="hooks">{`${live.data?.v} ${once.data?.v} ${filters.country} ${status}`}</output>
}

/** All that the package exports, in Strict Mode. */
export function EveryComponent({ url }: { url: string }) {
  return (
    <StrictMode>
      <NowcastProvider url={url} token={async () => 'token'} filters={{ country: ['DE'] }} locale="en">
        <Hooks />
        <ConnectionStatus />
        <FilterBar />
        <ActiveUsers renderValue={({ text }) => <em>{text}</em>} />
        <EventRate />
        <Revenue />
        <ErrorRate />
        <Metric metric="average_order_value" last="7d" />
        <TimeSeries metric="events" last="1h" anomalies compare="day" title="Compared" />
        <TimeSeries metric="revenue" last="24h" breakdown="country" stacked title="Stacked" />
        <Breakdown dimension="device" />
        <Funnel steps={[{ name: 'page_view' }, { name: 'purchase' }]} />
        <RecentEvents limit={5} />
        <Dashboard title="Everything" />
      </NowcastProvider>
    </StrictMode>
  )
}
