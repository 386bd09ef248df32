import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundleServer } from './measure/bundle.mjs'
import { startChild } from './measure/child.mjs'
import { readFlags, report, spread } from './measure/report.mjs'

/*
 * A server with 24 hours of events at a thousand a second is killed and started again, as a new process: until it is
 * ready, and until its first answer that counts every event. The last `--logged` of the `--events` are in its log, as
 * many as the window of duplicates holds; those before are in the archive alone, as after a day. A folder named by
 * `--dir` is kept, and what is in it is not filled in again.
 */

const flags = readFlags({ events: 86_400_000, logged: 8_000_000, rounds: 3 })
const { events, rounds } = flags
const logged = Math.min(events, flags.logged)
const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
const AIM_MS = 5000

const folder = flags.dir ?? mkdtempSync(join(tmpdir(), 'nowcast-recovery-'))
mkdirSync(folder, { recursive: true })
const bundle = await bundleServer('query-server')
const startServer = () => startChild(bundle, [], [folder])
let server = startServer()
const readings = []
try {
  const from = await filledFrom()
  await server.ask('start')
  const startedAt = performance.now()
  await server.ask({ settle: { events: logged, from: from.logged } })
  console.error(`the log is live and archived after ${((performance.now() - startedAt) / 1000).toFixed(0)} s`)
  for (let round = 0; round < rounds; round++) {
    server.signal('SIGKILL')
    await server.stop()
    const killedAt = performance.now()
    server = startServer()
    await server.ask('start')
    const readyMs = performance.now() - killedAt
    await server.ask({ correct: { events, from: from.all } })
    readings.push({ readyMs, correctMs: performance.now() - killedAt })
  }
} finally {
  await server.stop()
  if (!flags.dir) rmSync(folder, { recursive: true, force: true })
}

/** Fills log and archive, if they are not yet. @returns from when on to count all events, and those in the log */
async function filledFrom() {
  const done = join(folder, 'recovery.json')
  if (existsSync(done)) {
    const filled = JSON.parse(readFileSync(done, 'utf8'))
    if (filled.events === events && filled.logged === logged) return filled.from
    throw new Error(`${folder} holds a day of ${filled.events} events, ${filled.logged} of them in the log: delete it`)
  }
  const now = Date.now()
  const seam = Math.floor((now - (DAY_MS * logged) / events) / MINUTE_MS) * MINUTE_MS
  let all = seam
  if (events > logged) {
    // What is in the log comes a little before its arrival.
    const before = { events: events - logged, from: now - DAY_MS, to: seam - MINUTE_MS }
    all = Math.floor((await server.ask({ fill: before })).from / MINUTE_MS) * MINUTE_MS
  }
  await server.ask({ fillLog: { events: logged, from: seam + MINUTE_MS, to: Date.now() } })
  const from = { all, logged: seam }
  writeFileSync(done, JSON.stringify({ events, logged, from }))
  return from
}

const ready = readings.map(({ readyMs }) => readyMs)
const correct = readings.map(({ correctMs }) => correctMs)
const { median } = spread(correct)
report(
  {
    bench: 'recovery',
    setup: { events, logged, rounds },
    rows: [
      { what: 'to the end of the start', unit: 'ms', readings: ready },
      { what: 'to the first correct answer', unit: 'ms', readings: correct },
    ],
    aims: [{ what: `first correct answer after ${Math.round(median)} ms`, aim: '(≤ 5,000)', met: median <= AIM_MS }],
  },
  flags.json,
)
