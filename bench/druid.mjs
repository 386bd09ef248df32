import { bundleServer } from './measure/bundle.mjs'
import { startChild } from './measure/child.mjs'
import { readFlags, report } from './measure/report.mjs'

/*
 * The same questions to both archives, about the same events, in the same run: ClickHouse's embedded engine, and a Druid
 * of one process each with a topic of Kafka before it, all on the same cores. No two questions are about the same range.
 * Sums are compared to the last decimal; `npm run test:druid` fetches Druid.
 */
const flags = readFlags({ events: 3_000_000, rounds: 10 })
const { events, rounds } = flags
const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const shared = { project: 'bench', filters: [], bots: false, timezone: 'UTC' }
const filters = [
  { dimension: 'country', values: ['US', 'DE'] },
  { dimension: 'device', values: ['mobile'] },
]
const QUESTIONS = {
  '24 h by minute, events': { spanMs: DAY_MS, granularity: 'minute', measures: ['events'] },
  '24 h by minute, revenue, two filters': { spanMs: DAY_MS, granularity: 'minute', measures: ['revenue'], filters },
  '30 days by hour, events': { spanMs: 30 * DAY_MS, granularity: 'hour', measures: ['events'] },
  '30 days by hour, revenue, two filters': { spanMs: 30 * DAY_MS, granularity: 'hour', measures: ['revenue'], filters },
  '30 days by hour, users': { spanMs: 30 * DAY_MS, granularity: 'hour', measures: ['users'] },
  '30 days by hour and country, revenue': {
    ...{ spanMs: 30 * DAY_MS, granularity: 'hour', measures: ['revenue'], breakdown: 'country', limit: 10 },
  },
  '30 days, users by country': { spanMs: 30 * DAY_MS, measures: ['users'], breakdown: 'country', limit: 10 },
  '30 days, events by path': { spanMs: 30 * DAY_MS, measures: ['events'], breakdown: 'path', limit: 10 },
}

const archives = startChild(await bundleServer('archives'))
const latencies = {}
const differing = []
let filled
try {
  await archives.ask('start')
  const to = Math.floor(Date.now() / HOUR_MS) * HOUR_MS
  console.error('filling')
  filled = await archives.ask({ fill: { events, from: to - 31 * DAY_MS, to } })
  console.error('until Druid has its segments on disk')
  await archives.ask('settle')
  let asked = 0
  for (let round = -1; round < rounds; round++) {
    for (const [name, { spanMs, ...question }] of Object.entries(QUESTIONS)) {
      const end = to - (asked++ % 600) * MINUTE_MS
      const answer = await archives.ask({ ask: { ...shared, ...question, from: end - spanMs, to: end } })
      if (answer.differs) differing.push(name)
      if (round < 0) continue // warm-up
      latencies[name] ??= { clickhouse: [], druid: [] }
      for (const archive of ['clickhouse', 'druid']) latencies[name][archive].push(answer[archive])
    }
  }
} finally {
  await archives.stop()
}

const perSecond = (ms) => (events / ms) * 1000
report(
  {
    bench: 'druid',
    setup: { events, rounds },
    rows: [
      ...Object.entries(latencies).flatMap(([name, { clickhouse, druid }]) => [
        { what: `${name}: ClickHouse`, unit: 'ms', readings: clickhouse },
        { what: `${name}: Druid`, unit: 'ms', readings: druid },
      ]),
      { what: 'until all can be asked for: ClickHouse', unit: 'events/s', readings: [perSecond(filled.clickhouse)] },
      { what: 'until all can be asked for: Druid', unit: 'events/s', readings: [perSecond(filled.druid)] },
    ],
    aims: [
      {
        what: `answers that differ in a sum: ${differing.length}`,
        aim: '(none)',
        met: differing.length === 0,
      },
    ],
  },
  flags.json,
)
