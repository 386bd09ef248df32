import { bundleServer } from './measure/bundle.mjs'
import { startChild } from './measure/child.mjs'
import { readFlags, report } from './measure/report.mjs'

/*
 * Who counts the live figures: Nowcast's own aggregator and a job in Flink, one after the other, on the same topic of one
 * real broker and the same Redis, all on the same cores. Events were appended before; both begin at the first.
 *
 *   events/s   from the start of the stage (the job's first moment of running) until all events are live
 *   CPU        of the aggregator's process; of the task manager, the job manager and the follower's process
 *   memory     resident, of the same processes, at the end
 *   fresh      from the append of one event until it is live, nothing else to do
 *
 * `npm run test:flink` fetches Flink and builds the job's functions.
 */
const flags = readFlags({ rounds: 1, events: 400_000, partitions: 4, samples: 40 })
const { rounds, events, partitions, samples } = flags
const APPEND_EVENTS = 4000

const services = startChild(await bundleServer('log-services'))
const flink = startChild(await bundleServer('flink-services'))
const log = startChild(await bundleServer('kafka-log'))
const stageFile = await bundleServer('aggregators')
const readings = []
try {
  const { address } = await services.ask('start')
  await flink.ask('start')
  for (let round = 0; round < rounds; round++) {
    const setup = { brokers: [address], partitions, topic: `events-${round}`, windowsTopic: `windows-${round}` }
    await log.ask({ open: { ...setup, events: APPEND_EVENTS } })
    const { events: appended } = await log.ask({ append: events, isUnique: true })
    const { redis } = await services.ask('redis')
    const own = await measure({ ...setup, redis, kind: 'nowcast' }, appended)
    // The samples of freshness before are events too.
    const theirs = await measure({ ...setup, redis, kind: 'flink' }, appended + samples)
    readings.push({ appended, own, theirs })
  }
} finally {
  await Promise.all([flink, log].map((child) => child.stop()))
  await services.stop()
}

async function measure(setup, count) {
  const isFlink = setup.kind === 'flink'
  const idle = isFlink ? await flink.ask('usage') : { cpuMs: 0, bytes: 0 }
  if (isFlink) await flink.ask({ submit: setup })
  const stage = startChild(stageFile)
  try {
    await stage.ask({ open: setup })
    const { ms, cpuMs, bytes } = await stage.ask({ counted: count })
    const busy = isFlink ? await flink.ask('usage') : idle
    const { ms: fresh } = await stage.ask({ fresh: { rounds: samples, events: count } })
    return { ms, cpuMs: cpuMs + busy.cpuMs - idle.cpuMs, bytes: bytes + busy.bytes, fresh }
  } finally {
    await stage.stop()
  }
}

const percentile = (values, share) => [...values].sort((a, b) => a - b)[Math.floor(share * (values.length - 1))]
const rows = ['own', 'theirs'].flatMap((kind) => {
  const name = kind === 'own' ? 'Nowcast' : 'Flink'
  const of = (read) => readings.map((reading) => read(reading[kind], reading.appended))
  return [
    { what: `${name}, counted`, unit: 'events/s', readings: of(({ ms }, count) => (count / ms) * 1000) },
    {
      what: `${name}, CPU`,
      unit: 'µs an event',
      digits: 1,
      readings: of(({ cpuMs }, count) => (cpuMs * 1000) / count),
    },
    { what: `${name}, memory`, unit: 'MiB', readings: of(({ bytes }) => bytes / 2 ** 20) },
    { what: `${name}, fresh, median`, unit: 'ms', readings: of(({ fresh }) => percentile(fresh, 0.5)) },
    { what: `${name}, fresh, 95 %`, unit: 'ms', readings: of(({ fresh }) => percentile(fresh, 0.95)) },
  ]
})
report({ bench: 'aggregators', rows, aims: [] }, flags.json)
