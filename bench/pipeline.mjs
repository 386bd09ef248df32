import { bundleServer } from './measure/bundle.mjs'
import { startChild } from './measure/child.mjs'
import { readFlags, report, spread } from './measure/report.mjs'

/*
 * The whole embedded server: from the first request until all events are live and archived, by the clock. The limit is
 * the bare engine: the same rows, tables, projections and client, in inserts as large, in turns with it.
 */

const flags = readFlags({ rounds: 3, events: 600_000, connections: 32, batch: 100 })
const { rounds, events, connections, batch } = flags

const bundle = await bundleServer('whole-server')
const readings = []
for (let round = 0; round < rounds; round++) {
  const reading = await measure()
  readings.push(reading)
  const { eventsPerSecond, limitPerSecond, share } = reading
  const text = [eventsPerSecond, limitPerSecond].map((value) => Math.round(value).toLocaleString('en-US'))
  console.error(`round ${round + 1}: ${text[0]} events/s, bare engine ${text[1]}: ${share.toFixed(0)} %`)
}

async function measure() {
  const server = startChild(bundle)
  const load = startChild(new URL('./load/send-batches.mjs', import.meta.url))
  try {
    const started = await server.ask('start')
    await load.ask({ port: started.port, key: started.key, connections, eventsPerBatch: batch })
    const startedAt = Date.now()
    const sent = await load.ask({ events })
    const settled = await server.ask({ settle: sent.events })
    if (settled.differences > 0) throw new Error(`log, live and history differ in ${settled.differences} places`)
    const limit = await server.ask('insert')
    if (limit.rows !== sent.events) throw new Error(`${sent.events} events sent, ${limit.rows} rows in the log`)
    const seconds = (settled.archivedAt - startedAt) / 1000
    const eventsPerSecond = sent.events / seconds
    const limitPerSecond = (limit.rows * 1000) / limit.elapsedMs
    return {
      eventsPerSecond,
      limitPerSecond,
      share: (100 * eventsPerSecond) / limitPerSecond,
      acceptedPerSecond: (sent.events * 1000) / sent.elapsedMs,
      livePerSecond: (sent.events * 1000) / (settled.liveAt - startedAt),
      serverUs: ((settled.serverMs - started.serverMs) * 1000) / sent.events,
      engineUs: ((settled.engineMs - started.engineMs) * 1000) / sent.events,
      limitUs: (limit.engineMs * 1000) / limit.rows,
      refused: sent.refused,
    }
  } finally {
    await Promise.all([load.stop(), server.stop()])
  }
}

const of = (name) => readings.map((reading) => reading[name])
const rate = spread(of('eventsPerSecond')).median
const share = spread(of('share')).median
report(
  {
    bench: 'pipeline',
    setup: { events, connections, eventsPerBatch: batch },
    rows: [
      { what: 'sent until live and archived', unit: 'events/s', readings: of('eventsPerSecond') },
      { what: 'limit: bare engine, the same rows', unit: 'events/s', readings: of('limitPerSecond') },
      { what: 'share of the limit', unit: '%', readings: of('share'), digits: 1 },
      { what: 'sent until durable', unit: 'events/s', readings: of('acceptedPerSecond') },
      { what: 'sent until live', unit: 'events/s', readings: of('livePerSecond') },
      { what: 'CPU of the server', unit: 'µs/event', readings: of('serverUs'), digits: 2 },
      { what: 'CPU of its engine', unit: 'µs/event', readings: of('engineUs'), digits: 2 },
      { what: 'CPU of the bare engine', unit: 'µs/event', readings: of('limitUs'), digits: 2 },
      { what: 'batches refused with 503', unit: '', readings: of('refused') },
    ],
    aims: [
      { what: `${share.toFixed(0)} % of the bare engine`, aim: '(≥ 50 %)', met: share >= 50 },
      { what: `${Math.round(rate).toLocaleString('en-US')} events/s`, aim: '(≥ 100,000)', met: rate >= 100_000 },
    ],
  },
  flags.json,
)
