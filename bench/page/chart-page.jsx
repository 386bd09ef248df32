import { NowcastProvider, TimeSeries } from '@nowcast/react'
import { useEffect, useState } from 'react'
import { createRoot } from 'react-dom/client'
import { Line, LineChart, Tooltip, XAxis, YAxis } from 'recharts'
import { changedPoints, dayOfPoints } from '../load/minute-points.mjs'

const asked = new URLSearchParams(location.search)
const METRICS = ['events', 'page_views', 'clicks', 'errors']

/** The chart library alone, as one would use it: the same points, the same second. */
function BareChart() {
  const [day, setDay] = useState(() => {
    const now = Date.now()
    return { now, points: dayOfPoints(now) }
  })
  useEffect(() => {
    const next = (before) => {
      const now = before.now + 1000
      const changed = changedPoints(now)
      const kept = before.points.filter(({ t }) => t < changed[0].t)
      return { now, points: [...kept, ...changed].slice(-before.points.length) }
    }
    const timer = setInterval(() => setDay(next), 1000)
    return () => clearInterval(timer)
  }, [])
  return (
    <LineChart responsive style={{ width: '100%', height: 280 }} data={day.points}>
      <XAxis dataKey="t" type="number" scale="time" domain={['dataMin', 'dataMax']} />
      <YAxis />
      <Tooltip />
      <Line className="drawn" dataKey="v" dot={false} isAnimationActive={false} />
    </LineChart>
  )
}

function Charts() {
  const metrics = METRICS.slice(0, Number(asked.get('charts')))
  return (
    <NowcastProvider url={location.origin} token="any">
      {metrics.map((metric) => (
        <TimeSeries key={metric} metric={metric} anomalies={asked.has('anomalies')} />
      ))}
    </NowcastProvider>
  )
}

const grid = { display: 'grid', gridTemplateColumns: `repeat(${asked.get('columns')}, minmax(0, 1fr))`, gap: 16 }
createRoot(document.getElementById('root')).render(
  <main style={grid}>{asked.has('bare') ? <BareChart /> : <Charts />}</main>,
)
