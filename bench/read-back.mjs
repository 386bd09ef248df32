import { bundleServer } from './measure/bundle.mjs'
import { startChild } from './measure/child.mjs'
import { readFlags, report, spread } from './measure/report.mjs'

/*
 * What a stage reads that is started again, before it goes on: the identities of the last N events of each partition,
 * from the files that the process before it has left, or from Kafka where it has none. The limit is reading the same
 * events whole. `--events 8000000` is what N is in all by default; fewer tell what an event costs.
 */

const flags = readFlags({ rounds: 3, events: 800_000, partitions: 12, whole: 8_000_000 })
const { rounds, events, partitions, whole } = flags
const broker = startChild(await bundleServer('log-services'))
const log = startChild(await bundleServer('kafka-log'))
const back = []
const filed = []
const reads = []
try {
  const { address } = await broker.ask('start')
  await log.ask({ open: { brokers: [address], topic: 'read-back', partitions, events: 4000 } })
  const appended = await log.ask({ append: events })
  // Leaves the files.
  await log.ask({ readBack: appended.events, fromFiles: true })
  for (let round = 0; round < rounds; round++) {
    filed.push(await log.ask({ readBack: appended.events, fromFiles: true }))
    back.push(await log.ask({ readBack: appended.events }))
    reads.push(await log.ask({ read: appended.events }))
  }
} finally {
  await Promise.all([log.stop(), broker.stop()])
}

const rate = ({ events: done, ms }) => (done * 1000) / ms
const us = ({ events: done, cpuMs }) => (cpuMs * 1000) / done
const secondsOf = (readings) => readings.map((reading) => whole / rate(reading))
const seconds = secondsOf(filed)
const { median } = spread(seconds)
report(
  {
    bench: 'read-back',
    setup: { events, partitions },
    rows: [
      { what: 'identities read back from files', unit: 'events/s', readings: filed.map(rate) },
      { what: 'identities read back from Kafka', unit: 'events/s', readings: back.map(rate) },
      { what: 'limit: the events read whole', unit: 'events/s', readings: reads.map(rate) },
      { what: 'CPU of reading identities from files', unit: 'µs/event', readings: filed.map(us), digits: 2 },
      { what: 'CPU of reading identities from Kafka', unit: 'µs/event', readings: back.map(us), digits: 2 },
      { what: 'CPU of reading events whole', unit: 'µs/event', readings: reads.map(us), digits: 2 },
      { what: `${whole.toLocaleString('en-US')} identities from files`, unit: 's', readings: seconds, digits: 1 },
      { what: 'the same from Kafka', unit: 's', readings: secondsOf(back), digits: 1 },
    ],
    aims: [
      {
        what: `a stage that holds all partitions goes on after ${median.toFixed(0)} s`,
        aim: '(≤ 10)',
        met: median <= 10,
      },
    ],
  },
  flags.json,
)
