import { ask, quantile } from './measure/ask.mjs'
import { bundleServer } from './measure/bundle.mjs'
import { startChild } from './measure/child.mjs'
import { readFlags, report } from './measure/report.mjs'

/*
 * Questions about 30 days over many events, which are really inserted first, through the same tables and projections. No
 * two questions are about the same range, so that none is answered from what was read before; `again` asks one of them
 * once more. With `--dir` the events stay there: an interrupted run goes on where it was, and another one only asks.
 */

const flags = readFlags({ events: 100_000_000, rounds: 20 })
const { events, rounds } = flags
const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const filters = { country: ['US', 'DE'], device: ['mobile'] }
const hours = { kind: 'series', granularity: 'hour' }
const QUESTIONS = {
  'events by hour': { ...hours, metric: 'events' },
  'revenue by hour, two filters': { ...hours, metric: 'revenue', filters },
  'revenue by day': { kind: 'series', granularity: 'day', metric: 'revenue' },
  'revenue by hour and country': { ...hours, metric: 'revenue', breakdown: 'country' },
  'users by hour': { ...hours, metric: 'users' },
  'users by hour of one country': { ...hours, metric: 'users', filters: { country: ['US'] } },
  'conversion by day': { kind: 'series', granularity: 'day', metric: 'conversion_rate' },
  'revenue by category': { kind: 'breakdown', metric: 'revenue', breakdown: 'category' },
  'users by country': { kind: 'breakdown', metric: 'users', breakdown: 'country' },
}
/** Read from raw events: a few of them are enough. */
const SLOW = {
  'events by path': { kind: 'breakdown', metric: 'events', breakdown: 'path' },
  'funnel of search and purchase': {
    ...{ kind: 'funnel', steps: [{ name: 'search' }, { name: 'purchase' }], window: '1d' },
  },
  recent: { kind: 'recent', limit: 50 },
}

const server = startChild(await bundleServer('query-server'), [], flags.dir ? [flags.dir] : [])
const latencies = {}
let again = []
let filled
try {
  const now = Date.now()
  filled = await server.ask({ fill: { events, from: now - 31 * DAY_MS, to: now - DAY_MS } })
  const { port, token } = await server.ask('start')
  const url = `http://127.0.0.1:${port}`
  const end = Math.floor(filled.to / HOUR_MS) * HOUR_MS
  let asked = 0
  const measure = async (name, query) => {
    const to = end - (asked++ % 200) * 60_000
    const range = { from: to - 30 * DAY_MS + 2 * HOUR_MS, to }
    const { elapsedMs } = await ask(url, token, { ...query, range })
    latencies[name] ??= []
    latencies[name].push(elapsedMs)
    return { ...query, range }
  }
  for (let round = -1; round < rounds; round++) {
    console.error(round < 0 ? 'warm-up' : `round ${round + 1} of ${rounds}`)
    for (const [name, query] of Object.entries(QUESTIONS)) {
      const same = await measure(name, query)
      if (name === 'events by hour') again.push((await ask(url, token, same)).elapsedMs)
    }
    if (round < 3) for (const [name, query] of Object.entries(SLOW)) await measure(name, query)
    if (round < 0) {
      for (const name of Object.keys(latencies)) latencies[name] = [] // warm-up
      again = []
    }
  }
} finally {
  await server.stop()
}

/** Of everything that rollups answer. */
const slowest = Object.entries(QUESTIONS).map(([name]) => ({ name, p99: quantile(latencies[name], 0.99) }))
slowest.sort((a, b) => b.p99 - a.p99)
const p99 = quantile(latencies['events by hour'], 0.99)
report(
  {
    bench: 'history',
    setup: { events, rounds },
    rows: [
      ...Object.entries(latencies).flatMap(([name, readings]) => [
        { what: name, unit: 'ms', readings, digits: 0 },
        { what: '  p99', unit: 'ms', readings: [quantile(readings, 0.99)], digits: 0 },
      ]),
      { what: 'events by hour, again', unit: 'ms', readings: again, digits: 1 },
      ...(filled.inserted > 0
        ? [{ what: 'inserted', unit: 'events/s', readings: [(filled.inserted * 1000) / filled.elapsedMs] }]
        : []),
      { what: 'disk', unit: 'bytes an event', readings: [filled.bytes / events] },
    ],
    aims: [
      {
        what: `p99 of 30 days by hour over ${events.toLocaleString('en-US')} events: ${p99.toFixed(0)} ms`,
        aim: '(≤ 100)',
        met: p99 <= 100,
      },
      {
        what: `slowest p99: ${slowest[0].name}, ${slowest[0].p99.toFixed(0)} ms`,
        aim: '(bound 500)',
        met: slowest[0].p99 <= 500,
      },
    ],
  },
  flags.json,
)
