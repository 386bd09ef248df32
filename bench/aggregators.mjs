import { bundleServer } from './measure/bundle.mjs'
import { startChild } from './measure/child.mjs'
import { readFlags, report } from './measure/report.mjs'

/*
 * Who counts the live figures: Nowcast's own aggregator and a job in Flink, in turn, on the same topic of one real broker
 * and the same Redis, all on the same cores. While one counts, the other is stopped (SIGSTOP), and so are both while
 * events are appended.
 *
 *   cold       from the start of the stage (the job's first moment of running) until the events that were there are live
 *   warm       the same stage and the same job, given as many events again and again: the first of these bursts, in which
 *              Java still compiles, are left out
 *   CPU        of the aggregator's process; of the task manager, the job manager and the follower's process
 *   memory     resident, of the same processes, at the end
 *   fresh      from the append of one event until it is live, nothing else to do
 *
 * `npm run test:flink` fetches Flink and builds the job's functions.
 */
const flags = readFlags({ events: 400_000, rounds: 5, left: 3, partitions: 4, samples: 40 })
const { events, rounds, left, partitions, samples } = flags
const APPEND_EVENTS = 4000
const KINDS = ['nowcast', 'flink']
const NAMES = { nowcast: 'Nowcast', flink: 'Flink' }

const services = startChild(await bundleServer('log-services'))
const flink = startChild(await bundleServer('flink-services'))
const log = startChild(await bundleServer('kafka-log'))
const stageFile = await bundleServer('aggregators')
const stages = { nowcast: startChild(stageFile), flink: startChild(stageFile) }
const readings = { nowcast: { warm: [] }, flink: { warm: [] } }
let appended = 0
try {
  const { address } = await services.ask('start')
  await flink.ask('start')
  const { redis } = await services.ask('redis')
  const setup = { brokers: [address], partitions, topic: 'events', windowsTopic: 'windows', redis }
  await log.ask({ open: { ...setup, events: APPEND_EVENTS } })
  await append()
  for (const kind of KINDS) {
    const before = await usage(kind)
    if (kind === 'flink') await flink.ask({ submit: setup })
    await stages[kind].ask({ open: { ...setup, kind } })
    readings[kind].cold = await counted(kind, before)
    await turn(kind, 'SIGSTOP')
  }
  for (let round = 0; round < left + rounds; round++) {
    await append()
    for (const kind of round % 2 === 0 ? KINDS : KINDS.toReversed()) {
      const before = await usage(kind)
      await turn(kind, 'SIGCONT')
      const reading = await counted(kind, before)
      await turn(kind, 'SIGSTOP')
      console.error(`${NAMES[kind]}, burst ${round + 1}: ${Math.round((events / reading.ms) * 1000)} events/s`)
      if (round >= left) readings[kind].warm.push(reading)
    }
  }
  for (const kind of KINDS) {
    await turn(kind, 'SIGCONT')
    const { ms } = await stages[kind].ask({ fresh: { rounds: samples, events: appended } })
    readings[kind].fresh = ms
    readings[kind].bytes = (await stages[kind].ask('usage')).bytes + (await usage(kind)).bytes
    appended += samples
    await turn(kind, 'SIGSTOP')
  }
} finally {
  for (const kind of KINDS) await turn(kind, 'SIGCONT')
  await Promise.all([flink, log, ...Object.values(stages)].map((child) => child.stop()))
  await services.stop()
}

async function append() {
  const { events: more } = await log.ask({ append: events, isUnique: true })
  appended += more
}

/** Lets one of both work, or holds it where it is. */
async function turn(kind, signal) {
  if (kind === 'flink') await flink.ask({ signal })
  stages[kind].signal(signal)
}

/** Of what works beside the stage's process. */
async function usage(kind) {
  return kind === 'flink' ? flink.ask('usage') : { cpuMs: 0, bytes: 0 }
}

async function counted(kind, before) {
  const { ms, cpuMs } = await stages[kind].ask({ counted: appended })
  const after = await usage(kind)
  return { ms, cpuMs: cpuMs + after.cpuMs - before.cpuMs }
}

const percentile = (values, share) => [...values].sort((a, b) => a - b)[Math.floor(share * (values.length - 1))]
const rows = KINDS.flatMap((kind) => {
  const { cold, warm, fresh, bytes } = readings[kind]
  const name = NAMES[kind]
  const rate = ({ ms }) => (events / ms) * 1000
  const cpu = ({ cpuMs }) => (cpuMs * 1000) / events
  return [
    { what: `${name}, cold, counted`, unit: 'events/s', readings: [rate(cold)] },
    { what: `${name}, cold, CPU`, unit: 'µs an event', digits: 1, readings: [cpu(cold)] },
    { what: `${name}, warm, counted`, unit: 'events/s', readings: warm.map(rate) },
    { what: `${name}, warm, CPU`, unit: 'µs an event', digits: 1, readings: warm.map(cpu) },
    { what: `${name}, memory`, unit: 'MiB', readings: [bytes / 2 ** 20] },
    { what: `${name}, fresh, median`, unit: 'ms', readings: [percentile(fresh, 0.5)] },
    { what: `${name}, fresh, 95 %`, unit: 'ms', readings: [percentile(fresh, 0.95)] },
  ]
})
report({ bench: 'aggregators', rows, aims: [] }, flags.json)
