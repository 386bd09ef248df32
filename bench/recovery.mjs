import { sendDay } from './load/send-day.mjs'
import { bundleServer } from './measure/bundle.mjs'
import { startChild } from './measure/child.mjs'
import { readFlags, report, spread } from './measure/report.mjs'

/*
 * A server with 24 hours of events at a thousand a second is stopped and started again: from the start until its first
 * answer that counts every event. The last `--sent` of the `--events` come in over HTTP, as many as the window of
 * duplicates holds; those before are put into the archive by itself, since at a start nothing else of them is left. With
 * `--dir` an interrupted filling goes on; a second run needs another folder.
 */

const flags = readFlags({ events: 86_400_000, sent: 8_000_000, rounds: 3 })
const { events, rounds } = flags
const sent = Math.min(events, flags.sent)
const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
const server = startChild(await bundleServer('query-server'), [], flags.dir ? [flags.dir] : [])
const readings = []
let filled = { elapsedMs: 0, from: Date.now() - DAY_MS }
try {
  const spanMs = Math.max(5 * MINUTE_MS, (DAY_MS * sent) / events)
  const before = events - sent
  const now = Date.now()
  if (before > 0) filled = await server.ask({ fill: { events: before, from: now - DAY_MS, to: now - spanMs } })
  const { port, secretKey } = await server.ask('start')
  console.error(`now ${sent} events over HTTP`)
  const startedAt = performance.now()
  await sendDay({ url: `http://127.0.0.1:${port}`, key: secretKey, events: sent, spanMs })
  const from = Math.floor(filled.from / MINUTE_MS) * MINUTE_MS - MINUTE_MS
  const last = Math.floor((Date.now() - spanMs) / MINUTE_MS) * MINUTE_MS - 10 * MINUTE_MS
  await server.ask({ settle: { events: sent, from: before > 0 ? Math.max(from, last) : from } })
  console.error(`they are live and archived after ${((performance.now() - startedAt) / 1000).toFixed(0)} s`)
  for (let round = 0; round < rounds; round++) readings.push(await server.ask({ restart: { events, from } }))
} finally {
  await server.stop()
}

const correct = readings.map(({ correctMs }) => correctMs)
const { median } = spread(correct)
report(
  {
    bench: 'recovery',
    setup: { events, sent, rounds },
    rows: [
      { what: 'to the first correct answer', unit: 'ms', readings: correct },
      { what: 'to the end of the start', unit: 'ms', readings: readings.map(({ readyMs }) => readyMs) },
    ],
    aims: [{ what: `first correct answer after ${Math.round(median)} ms`, aim: '(≤ 5,000)', met: median <= 5000 }],
  },
  flags.json,
)
