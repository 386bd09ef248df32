import { setTimeout as sleep } from 'node:timers/promises'
import { sendDay } from './load/send-day.mjs'
import { ask, quantile } from './measure/ask.mjs'
import { bundleServer } from './measure/bundle.mjs'
import { startChild } from './measure/child.mjs'
import { readFlags, report } from './measure/report.mjs'

/*
 * Questions about the last 24 hours by minute, over HTTP, while events come in at half the speed that the pipeline takes.
 * The bound is half a second. `--day` events are live before, `--rate` come in a second meanwhile.
 */

const flags = readFlags({ day: 1_000_000, rate: 40_000, seconds: 60 })
const { day, rate, seconds } = flags
const BOUND_MS = 500
const filters = { country: ['US', 'DE'], device: ['mobile'] }
const minutes = { kind: 'series', granularity: 'minute', range: { last: '24h' } }
/** Filters that nobody has asked for before. */
let asked = 0
const anew = () => ({ ...filters, country: [...filters.country, `X${asked++}`] })
const QUESTIONS = {
  'events by minute, two filters': { ...minutes, metric: 'events', filters },
  'revenue by minute, two filters': { ...minutes, metric: 'revenue', filters },
  'active users by minute, two filters': { ...minutes, metric: 'active_users', filters },
  'events by minute, two filters, for the first time': () => ({ ...minutes, metric: 'events', filters: anew() }),
  'active users by minute, two filters, for the first time': () => ({
    ...minutes,
    metric: 'active_users',
    filters: anew(),
  }),
  'revenue by minute and country': { ...minutes, metric: 'revenue', breakdown: 'country' },
  'events by minute with anomalies': { ...minutes, metric: 'events', anomalies: true },
  'users of the day': { kind: 'total', metric: 'users', range: { last: '24h' } },
  'revenue by category': { kind: 'breakdown', metric: 'revenue', breakdown: 'category', range: { last: '24h' } },
  overview: { kind: 'overview' },
}

const server = startChild(await bundleServer('query-server'))
const load = startChild(new URL('./load/send-batches.mjs', import.meta.url))
const latencies = Object.fromEntries(Object.keys(QUESTIONS).map((name) => [name, []]))
let sent = 0
try {
  const { port, key, secretKey, token } = await server.ask('start')
  const url = `http://127.0.0.1:${port}`
  await sendDay({ url, key: secretKey, events: day })
  await server.ask({ settle: { events: day, from: Math.floor(Date.now() / 60_000) * 60_000 - 25 * 3_600_000 } })
  console.error(`${day} events of a day are live and archived`)
  await load.ask({ port, key, connections: 4, eventsPerBatch: 100 })
  let isOver = false
  const startedAt = performance.now()
  let isWarm = false
  const ingesting = (async () => {
    while (!isOver) {
      const due = ((performance.now() - startedAt) / 1000) * rate - sent
      if (due >= 100) sent += (await load.ask({ events: Math.min(due, rate / 5) })).events
      else await sleep(10)
    }
  })()
  while (performance.now() - startedAt < seconds * 1000) {
    for (const [name, query] of Object.entries(QUESTIONS)) {
      const { elapsedMs } = await ask(url, token, typeof query === 'function' ? query() : query)
      // In the first round code is still being compiled.
      if (isWarm) latencies[name].push(elapsedMs)
      await sleep(20)
    }
    isWarm = true
  }
  isOver = true
  await ingesting
} finally {
  await Promise.all([load.stop(), server.stop()])
}

const first = latencies['events by minute, two filters']
const p99 = quantile(first, 0.99)
report(
  {
    bench: 'query',
    setup: { day, rate, seconds, asked: Object.values(latencies).reduce((sum, some) => sum + some.length, 0) },
    rows: [
      ...Object.entries(latencies).flatMap(([name, readings]) => [
        { what: name, unit: 'ms', readings, digits: 1 },
        { what: '  p99', unit: 'ms', readings: [quantile(readings, 0.99)], digits: 1 },
      ]),
      { what: 'bound', unit: 'ms', readings: [BOUND_MS] },
      { what: 'came in meanwhile', unit: 'events/s', readings: [sent / seconds] },
    ],
    aims: [
      { what: `p99 of 24 hours by minute, two filters: ${p99.toFixed(0)} ms`, aim: '(≤ 50)', met: p99 <= 50 },
      { what: `${(p99 / BOUND_MS).toFixed(2)} of the bound`, aim: '(≤ 1)', met: p99 <= BOUND_MS },
    ],
  },
  flags.json,
)
