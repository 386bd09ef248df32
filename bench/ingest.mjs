import { bundleServer } from './measure/bundle.mjs'
import { startChild } from './measure/child.mjs'
import { readFlags, report, spread } from './measure/report.mjs'

/*
 * Events per CPU-second of the ingest stage: 500-byte events, 100 a batch, over HTTP, answered after fsync. The limit is
 * bare JSON.parse of the same bytes in a process of the same kind, measured in turns with it.
 */

const flags = readFlags({ rounds: 7, events: 200_000, connections: 32, batch: 100 })
const { rounds, events, connections, batch } = flags

const bundle = await bundleServer('ingest-server')
const server = startChild(bundle)
const parser = startChild(bundle)
const load = startChild(new URL('./load/send-batches.mjs', import.meta.url))
const readings = []
try {
  const { port, key } = await server.ask('open')
  await load.ask({ port, key, connections, eventsPerBatch: batch })
  for (let round = -1; round < rounds; round++) {
    const { cpuMs: before } = await server.ask('cpu')
    const sent = await load.ask({ events })
    const { cpuMs: after } = await server.ask('cpu')
    const { bytesMs, textMs } = await parser.ask({ parse: events, eventsPerBatch: batch })
    if (round < 0) continue // warm-up
    const ingestUs = ((after - before) * 1000) / sent.events
    const parseUs = (bytesMs * 1000) / events
    readings.push({
      ...sent,
      ingestUs,
      parseUs,
      parseTextUs: (textMs * 1000) / events,
      share: (100 * parseUs) / ingestUs,
    })
    console.error(`round ${round + 1}: ${ingestUs.toFixed(2)} µs an event, JSON.parse ${parseUs.toFixed(2)} µs`)
  }
} finally {
  await Promise.all([server, parser, load].map((child) => child.stop()))
}

const of = (name) => readings.map((reading) => reading[name])
const share = spread(of('share')).median
report(
  {
    bench: 'ingest',
    setup: { events, connections, eventsPerBatch: batch },
    rows: [
      { what: 'ingest, per core', unit: 'events/CPU-s', readings: of('ingestUs').map((us) => 1e6 / us) },
      { what: 'limit: JSON.parse of the bytes', unit: 'events/CPU-s', readings: of('parseUs').map((us) => 1e6 / us) },
      { what: 'share of the limit', unit: '%', readings: of('share'), digits: 1 },
      { what: 'CPU of ingest', unit: 'µs/event', readings: of('ingestUs'), digits: 2 },
      { what: 'CPU of JSON.parse, from bytes', unit: 'µs/event', readings: of('parseUs'), digits: 2 },
      { what: 'CPU of JSON.parse, from a string', unit: 'µs/event', readings: of('parseTextUs'), digits: 2 },
      {
        what: 'wall clock, load process beside it',
        unit: 'events/s',
        readings: readings.map(({ events, elapsedMs }) => (events * 1000) / elapsedMs),
      },
      { what: 'latency of a batch, p50', unit: 'ms', readings: of('p50Ms'), digits: 1 },
      { what: 'latency of a batch, p99', unit: 'ms', readings: of('p99Ms'), digits: 1 },
      { what: 'batches refused with 503', unit: '', readings: of('refused') },
    ],
    aims: [{ what: `${share.toFixed(0)} % of bare JSON.parse`, aim: '(≥ 50 %)', met: share >= 50 }],
  },
  flags.json,
)
