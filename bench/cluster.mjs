import { loadavg } from 'node:os'
import { bundleServer } from './measure/bundle.mjs'
import { startChild } from './measure/child.mjs'
import { createCostOf } from './measure/cost-growth.mjs'
import { readFlags, report, spread } from './measure/report.mjs'
import { createRoleScaling } from './measure/role-scaling.mjs'

/*
 * A cluster on one machine: a broker of Kafka, a Redis, ClickHouse's engine, and processes of Nowcast. Needs
 * `npm run build`, for the engine.
 *
 *   scaling   one process of a role beside two, for each role: ingest is sent to as fast as it answers; aggregate and
 *             archive read what was written while they stood still; query is asked for 24 hours by minute
 *   growth    CPU of an event through a whole server, in its server, engine, Redis and broker, as partitions, projects and
 *             cells grow
 *
 * The limit of the scaling is a second process that gains nothing, for every core was busy before: Kafka's own tools,
 * which write and read as many records beside nothing else, say what log and cores allow.
 *
 *   --rounds 1  --events 60000 (each measurement)  --questions 400  --partitions 12  --connections 32  --batch 100
 *   --scaling 1, --growth 1: 0 leaves that part out
 */

const flags = readFlags({
  ...{ rounds: 1, events: 60_000, questions: 400, partitions: 12, connections: 32, batch: 100 },
  ...{ scaling: 1, growth: 1 },
})
const { rounds, events, questions, partitions, connections, batch } = flags
const ROLES = ['ingest', 'aggregate', 'archive', 'query']
const USUAL = { partitions, projects: 1, categories: 6 }
/** One thing grows at a time. */
const GROWTH = [
  USUAL,
  ...[4, 48].map((many) => ({ ...USUAL, partitions: many })),
  ...[20, 200].map((many) => ({ ...USUAL, projects: many })),
  ...[60, 600].map((many) => ({ ...USUAL, categories: many })),
]
const TOOLS = 'org.apache.kafka.tools'

const loadBefore = loadavg()
const services = startChild(await bundleServer('log-services'))
const scaling = []
const growth = []
let tools
try {
  const { address } = await services.ask('start')
  tools = await measureTools(address)
  const measure = createRoleScaling({ services, address, partitions, events, connections, batch, questions })
  const costOf = createCostOf({ services, address, events, connections, batch })
  for (let round = 0; round < rounds; round++) {
    if (flags.scaling) {
      const readings = {}
      for (const role of ROLES) readings[role] = { one: await measure[role](1), two: await measure[role](2) }
      for (const role of ROLES) say(role, readings[role])
      scaling.push(readings)
    }
    if (!flags.growth) continue
    const costs = []
    for (const shape of GROWTH) costs.push(await costOf(shape))
    growth.push(costs)
  }
} finally {
  await services.stop()
}

function say(role, { one, two }) {
  const rate = ({ events: done, ms }) => Math.round((done * 1000) / ms).toLocaleString('en-US')
  console.error(`${role}: ${rate(one)} a second with one process, ${rate(two)} with two`)
}

/** What Kafka's own tools make of the broker and the cores. */
async function measureTools(address) {
  const topic = 'tools'
  const on = ['--bootstrap-server', address]
  const create = ['--create', '--topic', topic, '--partitions', String(partitions)]
  await services.ask({ tool: `${TOOLS}.TopicCommand`, args: [...on, ...create] })
  const { output: written } = await services.ask({
    tool: `${TOOLS}.ProducerPerformance`,
    args: [
      ...['--topic', topic, '--num-records', String(events), '--record-size', '700', '--throughput', '-1'],
      ...['--producer-props', `bootstrap.servers=${address}`, 'acks=all', 'batch.size=131072', 'linger.ms=5'],
    ],
  })
  const { output: read } = await services.ask({
    tool: `${TOOLS}.ConsumerPerformance`,
    args: [...on, '--topic', topic, '--messages', String(events)],
  })
  const [names, values] = read
    .trim()
    .split('\n')
    .slice(-2)
    .map((line) => line.split(',').map((field) => field.trim()))
  return {
    written: Number(/, ([\d.]+) records\/sec/.exec(written.trim().split('\n').at(-1))[1]),
    read: (events * 1000) / Number(values[names.indexOf('fetch.time.ms')]),
  }
}

const rateOf = ({ events: done, ms }) => (done * 1000) / ms
const usOf = ({ events: done, cpuMs }) => (cpuMs * 1000) / done
const gain = (role) => scaling.map((readings) => rateOf(readings[role].two) / rateOf(readings[role].one))
const scalingRows = ROLES.flatMap((role) => {
  const unit = role === 'query' ? 'answers' : 'events'
  const of = (count, read) => scaling.map((readings) => read(readings[role][count]))
  return [
    { what: `${role}, one process`, unit: `${unit}/s`, readings: of('one', rateOf) },
    { what: `${role}, two processes`, unit: `${unit}/s`, readings: of('two', rateOf) },
    { what: `${role}, two ÷ one`, unit: '', readings: gain(role), digits: 2 },
    { what: `${role}, CPU with one`, unit: `µs/${unit.slice(0, -1)}`, readings: of('one', usOf), digits: 1 },
    { what: `${role}, CPU with two`, unit: `µs/${unit.slice(0, -1)}`, readings: of('two', usOf), digits: 1 },
  ]
})
const nameOf = ({ partitions: many, projects, categories }) =>
  `${many} partitions, ${projects} project${projects === 1 ? '' : 's'}, ${categories} categories`
const costReadings = (i, field) => growth.map((costs) => costs[i][field])
const growthRows = GROWTH.flatMap((shape, i) => [
  { what: `${nameOf(shape)}: server`, unit: 'µs/event', readings: costReadings(i, 'serverUs'), digits: 1 },
  { what: '  its engine', unit: 'µs/event', readings: costReadings(i, 'engineUs'), digits: 1 },
  { what: '  Redis', unit: 'µs/event', readings: costReadings(i, 'redisUs'), digits: 1 },
  { what: '  broker', unit: 'µs/event', readings: costReadings(i, 'brokerUs'), digits: 1 },
  { what: '  sent until live and archived', unit: 'events/s', readings: costReadings(i, 'perSecond') },
])
const median = (readings) => spread(readings).median
report(
  {
    bench: 'cluster',
    setup: { rounds, events, questions, partitions, connections, eventsPerBatch: batch },
    // Figures of a busy machine are worth their ratios alone.
    loadBefore,
    loadAfter: loadavg(),
    rows: [
      { what: 'Kafka’s producer tool', unit: 'records/s', readings: [tools.written] },
      { what: 'Kafka’s consumer tool', unit: 'records/s', readings: [tools.read] },
      ...(flags.scaling ? scalingRows : []),
      ...(flags.growth ? growthRows : []),
    ],
    aims: flags.scaling
      ? ROLES.map((role) => ({
          what: `${role} loses nothing by a second process (${median(gain(role)).toFixed(2)})`,
          aim: '(≥ 0.9 where one process fills both cores)',
          met: median(gain(role)) >= 0.9,
        }))
      : [],
  },
  flags.json,
)
