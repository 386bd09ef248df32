import { sendDay } from './load/send-day.mjs'
import { bundleServer } from './measure/bundle.mjs'
import { startChild } from './measure/child.mjs'
import { readFlags, report, spread } from './measure/report.mjs'

/*
 * A server with 24 hours of events at a thousand a second is stopped and started again: from the start until its first
 * answer that counts every event. `--events` for fewer.
 */

const flags = readFlags({ events: 86_400_000, rounds: 3 })
const { events, rounds } = flags
const server = startChild(await bundleServer('query-server'))
const readings = []
try {
  const { port, secretKey } = await server.ask('start')
  await sendDay({ url: `http://127.0.0.1:${port}`, key: secretKey, events })
  await server.ask({ settle: events })
  for (let round = 0; round < rounds; round++) readings.push(await server.ask({ restart: events }))
} finally {
  await server.stop()
}

const correct = readings.map(({ correctMs }) => correctMs)
const { median } = spread(correct)
report(
  {
    bench: 'recovery',
    setup: { events, rounds },
    rows: [
      { what: 'to the first correct answer', unit: 'ms', readings: correct },
      { what: 'to the end of the start', unit: 'ms', readings: readings.map(({ readyMs }) => readyMs) },
    ],
    aims: [{ what: `first correct answer after ${Math.round(median)} ms`, aim: '(≤ 5,000)', met: median <= 5000 }],
  },
  flags.json,
)
