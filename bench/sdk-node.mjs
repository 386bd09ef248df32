import { startChild } from './measure/child.mjs'
import { readFlags, report, spread } from './measure/report.mjs'

/*
 * What sending an event costs a Node service: @nowcast/node beside @segment/analytics-node, each in a process of its own,
 * in turns, to the same local server; then how much memory each holds at rest, and after events that nobody takes.
 */

const flags = readFlags({ rounds: 5, events: 30_000, outage: 20_000 })
const { rounds, events, outage } = flags

const NAMES = {
  nowcast: '@nowcast/node',
  'nowcast-plain': '… without gzip',
  'nowcast-spool': '… with a disk spool',
  segment: '@segment/analytics-node',
  'segment-like-nowcast': '… batches of 100 or 50 ms',
}
const sdks = Object.keys(NAMES)

const sink = startChild(new URL('./server/event-sink.mjs', import.meta.url))
const clients = Object.fromEntries(
  sdks.map((sdk) => [sdk, startChild(new URL('./load/sdk-client.mjs', import.meta.url), ['--expose-gc'])]),
)
const readings = Object.fromEntries(sdks.map((sdk) => [sdk, []]))
const rest = {}
const down = {}
try {
  const { port } = await sink.ask({ open: true })
  for (const sdk of sdks) rest[sdk] = await clients[sdk].ask({ open: sdk, port })
  await sink.ask({ take: true })
  for (let round = -1; round < rounds; round++) {
    for (const sdk of sdks) {
      const sent = await clients[sdk].ask({ events })
      const arrived = await sink.ask({ take: true })
      if (arrived.events !== events) console.error(`${sdk}: ${arrived.events} of ${events} events have arrived`)
      if (round < 0) continue // warm-up
      readings[sdk].push({
        perSecond: (arrived.events * 1000) / sent.elapsedMs,
        cpuUs: (sent.cpuMs * 1000) / events,
        requests: arrived.requests,
        bytes: arrived.bytes / events,
      })
    }
    console.error(`round ${round + 1}`)
  }
  await sink.ask({ down: true })
  for (const sdk of sdks) down[sdk] = await clients[sdk].ask({ lost: outage })
} finally {
  await Promise.all([sink, ...Object.values(clients)].map((child) => child.stop()))
}

const of = (sdk, name) => readings[sdk].map((reading) => reading[name])
const median = (sdk, name) => spread(of(sdk, name)).median
const rows = (what, unit, read, digits) =>
  sdks.map((sdk) => ({ what: `${what}: ${NAMES[sdk]}`, unit, readings: read(sdk), digits }))
const times = median('nowcast', 'perSecond') / median('segment', 'perSecond')
const timesAlike = median('nowcast', 'perSecond') / median('segment-like-nowcast', 'perSecond')

report(
  {
    bench: 'sdk-node',
    setup: { events, outage },
    rows: [
      ...rows('throughput', 'events/s', (sdk) => of(sdk, 'perSecond')),
      ...rows('CPU', 'µs/event', (sdk) => of(sdk, 'cpuUs'), 1),
      ...rows('requests', '', (sdk) => of(sdk, 'requests')),
      ...rows('on the wire', 'bytes/event', (sdk) => of(sdk, 'bytes')),
      ...rows('memory at rest', 'MiB used', (sdk) => [rest[sdk].usedMiB], 1),
      ...rows(`memory after ${outage} events that nobody took`, 'MiB used', (sdk) => [down[sdk].usedMiB], 1),
    ],
    aims: [
      { what: `${times.toFixed(1)} × the throughput of Segment's as it comes`, aim: '(≥ 5 ×)', met: times >= 5 },
      { what: `${timesAlike.toFixed(1)} × with batches like ours`, aim: '(≥ 5 ×)', met: timesAlike >= 5 },
    ],
  },
  flags.json,
)
