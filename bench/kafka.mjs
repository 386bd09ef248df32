import { bundleServer } from './measure/bundle.mjs'
import { startChild } from './measure/child.mjs'
import { readFlags, report, spread } from './measure/report.mjs'

/*
 * Kafka as the log, on one real broker that shares the cores with everything else, in turns:
 *
 *   whole     a server with all roles, Kafka, Redis and the engine: from the first request until all is live and archived,
 *             beside Kafka's two tools, one after the other
 *   ingest    HTTP to acknowledgement, CPU of the ingest process per event, beside the embedded log and JSON.parse
 *   log       append and read alone, beside Kafka's own ProducerPerformance and ConsumerPerformance with records as large
 *
 * The tools' CPU is what they take for many records, less what they take for few.
 */

const flags = readFlags({ rounds: 3, events: 200_000, records: 400_000, connections: 32, batch: 100, partitions: 12 })
const { rounds, events, records, connections, batch, partitions } = flags
const APPEND_EVENTS = 4000
const FEW = 1000
/** Events that a new server gets before those that count, as a share of them. */
const WARM_UP = 0.25
const TOOLS = 'org.apache.kafka.tools'

const broker = startChild(await bundleServer('log-services'))
const ingest = startChild(await bundleServer('ingest-server'))
const embedded = startChild(await bundleServer('ingest-server'))
const parser = startChild(await bundleServer('ingest-server'))
const log = startChild(await bundleServer('kafka-log'))
const load = startChild(new URL('./load/send-batches.mjs', import.meta.url))
const readings = []
try {
  const { address } = await broker.ask('start')
  const topicOf = (topic) => ({ brokers: [address], topic, partitions })
  const servers = {
    kafka: { child: ingest, ...(await ingest.ask({ kafka: topicOf('ingested') })) },
    embedded: { child: embedded, ...(await embedded.ask('open')) },
  }
  const { rowBytes } = await log.ask({ open: { ...topicOf('appended'), events: APPEND_EVENTS } })
  for (let round = -1; round < rounds; round++) {
    const scale = round < 0 ? 0.25 : 1
    const ingested = await measureIngest(servers, events * scale)
    const appended = await log.ask({ append: records * scale })
    const read = await log.ask({ read: appended.events })
    const whole = await measureWhole(address, `whole-${round}`, events * scale)
    const produced = await produce(address, `produced-${round}`, records * scale, Math.round(rowBytes))
    const consumed = await consume(address, `produced-${round}`, records * scale)
    if (round < 0) continue // warm-up
    readings.push({ ...ingested, appended, read, whole, produced, consumed })
    const rate = ({ events, ms }) => `${Math.round(events / ms)} K/s`
    console.error(
      `round ${round + 1}: ingest ${ingested.ingestUs.toFixed(2)} µs an event, append ${rate(appended)}, read ${rate(read)}, whole ${rate(whole)}, tools ${rate(produced)} and ${rate(consumed)}`,
    )
  }
} finally {
  await Promise.all([ingest, embedded, parser, log, load].map((child) => child.stop()))
  await broker.stop()
}

async function measureIngest(servers, count) {
  const sent = await ingestInto(servers.kafka, count)
  const { bytesMs } = await parser.ask({ parse: count, eventsPerBatch: batch })
  const { ingestUs: embeddedUs } = await ingestInto(servers.embedded, count)
  return { ...sent, embeddedUs, parseUs: (bytesMs * 1000) / count }
}

async function ingestInto({ child, port, key }, count) {
  await load.ask({ port, key, connections, eventsPerBatch: batch })
  const { cpuMs: before } = await child.ask('cpu')
  const sent = await load.ask({ events: count })
  const { cpuMs: after } = await child.ask('cpu')
  return { ...sent, ingestUs: ((after - before) * 1000) / sent.events }
}

/** From the first request of a server that is warm until every event is live and archived. */
async function measureWhole(address, topic, count) {
  // Each server has stores of its own, so that all of them can be compared at the end.
  const { redis } = await broker.ask('redis')
  const server = startChild(await bundleServer('whole-server'))
  const clients = startChild(new URL('./load/send-batches.mjs', import.meta.url))
  try {
    const services = { kafka: { brokers: [address], topic, partitions }, redis }
    const started = await server.ask({ start: services })
    await clients.ask({ port: started.port, key: started.key, connections, eventsPerBatch: batch })
    const warmUp = await clients.ask({ events: count * WARM_UP })
    const warm = await server.ask({ settle: warmUp.events })
    const startedAt = Date.now()
    const sent = await clients.ask({ events: count })
    const settled = await server.ask({ settle: warmUp.events + sent.events })
    if (settled.differences > 0) throw new Error(`log, live and history differ in ${settled.differences} places`)
    const cpuMs = settled.serverMs - warm.serverMs
    return { events: sent.events, ms: settled.archivedAt - startedAt, liveMs: settled.liveAt - startedAt, cpuMs }
  } finally {
    await Promise.all([clients.stop(), server.stop()])
  }
}

async function produce(address, topic, count, size) {
  await broker.ask({
    tool: `${TOOLS}.TopicCommand`,
    args: ['--bootstrap-server', address, '--create', '--topic', topic, '--partitions', String(partitions)],
  })
  const args = (number) => [
    ...['--topic', topic, '--num-records', String(number), '--record-size', String(size), '--throughput', '-1'],
    ...['--producer-props', `bootstrap.servers=${address}`, 'acks=all', 'batch.size=131072', 'linger.ms=5'],
  ]
  const tool = `${TOOLS}.ProducerPerformance`
  const { cpuMs: idle } = await broker.ask({ tool, args: args(FEW) })
  const { output, cpuMs } = await broker.ask({ tool, args: args(count) })
  // The last line counts everything.
  const perSecond = Number(/, ([\d.]+) records\/sec/.exec(output.trim().split('\n').at(-1))[1])
  return { events: count, ms: (count * 1000) / perSecond, cpuMs: cpuMs - idle }
}

async function consume(address, topic, count) {
  const args = (number) => ['--bootstrap-server', address, '--topic', topic, '--messages', String(number)]
  const tool = `${TOOLS}.ConsumerPerformance`
  const { cpuMs: idle } = await broker.ask({ tool, args: args(FEW) })
  const { output, cpuMs } = await broker.ask({ tool, args: args(count) })
  const [names, values] = output
    .trim()
    .split('\n')
    .slice(-2)
    .map((line) => line.split(',').map((field) => field.trim()))
  const field = (name) => Number(values[names.indexOf(name)])
  return { events: field('data.consumed.in.nMsg'), ms: field('fetch.time.ms'), cpuMs: cpuMs - idle }
}

const of = (read) => readings.map(read)
const rates = (name) => of((reading) => (reading[name].events * 1000) / reading[name].ms)
const cpu = (name) => of((reading) => (reading[name].cpuMs * 1000) / reading[name].events)
/** Both tools, one after the other, on the cores that the whole server shares. */
const toolRates = of(({ produced, consumed }) => 1000 / (produced.ms / produced.events + consumed.ms / consumed.events))
const wholeShare = rates('whole').map((rate, i) => (100 * rate) / toolRates[i])
const share = (ours, theirs) => of((_, i) => (100 * rates(ours)[i]) / rates(theirs)[i])
const ingestUs = of((reading) => reading.ingestUs)
const times = of((reading) => reading.ingestUs / reading.parseUs)
const median = (values) => spread(values).median
report(
  {
    bench: 'kafka',
    setup: { events, records, connections, eventsPerBatch: batch, partitions },
    rows: [
      { what: 'CPU of ingest, HTTP to Kafka’s acknowledgement', unit: 'µs/event', readings: ingestUs, digits: 2 },
      {
        what: 'CPU of ingest into the embedded log, in turns with it',
        unit: 'µs/event',
        readings: of((reading) => reading.embeddedUs),
        digits: 2,
      },
      { what: 'CPU of JSON.parse', unit: 'µs/event', readings: of((reading) => reading.parseUs), digits: 2 },
      { what: 'ingest ÷ JSON.parse', unit: '', readings: times, digits: 1 },
      {
        what: 'ingest by the clock, load and broker beside it',
        unit: 'events/s',
        readings: of(({ events: sent, elapsedMs }) => (sent * 1000) / elapsedMs),
      },
      { what: 'latency of a batch, p50', unit: 'ms', readings: of(({ p50Ms }) => p50Ms), digits: 1 },
      { what: 'latency of a batch, p99', unit: 'ms', readings: of(({ p99Ms }) => p99Ms), digits: 1 },
      { what: 'whole server, sent until live and archived', unit: 'events/s', readings: rates('whole') },
      {
        what: 'whole server, sent until live',
        unit: 'events/s',
        readings: of(({ whole }) => (whole.events * 1000) / whole.liveMs),
      },
      { what: 'Kafka’s two tools, one after the other', unit: 'records/s', readings: toolRates },
      { what: 'whole server ÷ tools', unit: '%', readings: wholeShare },
      { what: 'CPU of the whole server', unit: 'µs/event', readings: cpu('whole'), digits: 2 },
      { what: 'append', unit: 'events/s', readings: rates('appended') },
      { what: 'Kafka’s producer tool', unit: 'records/s', readings: rates('produced') },
      { what: 'append ÷ tool', unit: '%', readings: share('appended', 'produced') },
      { what: 'CPU of append', unit: 'µs/event', readings: cpu('appended'), digits: 2 },
      { what: 'CPU of the producer tool', unit: 'µs/record', readings: cpu('produced'), digits: 2 },
      { what: 'read', unit: 'events/s', readings: rates('read') },
      { what: 'Kafka’s consumer tool', unit: 'records/s', readings: rates('consumed') },
      { what: 'read ÷ tool', unit: '%', readings: share('read', 'consumed') },
      { what: 'CPU of read', unit: 'µs/event', readings: cpu('read'), digits: 2 },
      { what: 'CPU of the consumer tool', unit: 'µs/record', readings: cpu('consumed'), digits: 2 },
    ],
    aims: [
      {
        what: `the whole at ${median(wholeShare).toFixed(0)} % of the tools`,
        aim: '(≥ 40 %)',
        met: median(wholeShare) >= 40,
      },
      { what: `ingest takes ${median(ingestUs).toFixed(1)} µs an event`, aim: '(≤ 8)', met: median(ingestUs) <= 8 },
      { what: `${median(times).toFixed(1)} × JSON.parse`, aim: '(≤ 8)', met: median(times) <= 8 },
      {
        what: `append at ${median(share('appended', 'produced')).toFixed(0)} % of the tool`,
        aim: '(≥ 40 %)',
        met: median(share('appended', 'produced')) >= 40,
      },
      {
        what: `read at ${median(share('read', 'consumed')).toFixed(0)} % of the tool`,
        aim: '(≥ 40 %)',
        met: median(share('read', 'consumed')) >= 40,
      },
    ],
  },
  flags.json,
)
