import { spawnSync } from 'node:child_process'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { until } from '../servers/until.ts'
import { type AcknowledgedLedger, createLedger } from './harness/acknowledged-ledger.ts'
import { countedEvents, differencesFrom, sendersOutOfOrder } from './harness/compare-figures.ts'
import { generateTraffic, OLDEST_MS } from './harness/generated-traffic.ts'
import { startRetryingClient } from './harness/retrying-client.ts'
import { faultSeed, seededRandom } from './harness/seeded-random.ts'
import { parentOf, type SupervisedServer, superviseServer } from './harness/supervised-server.ts'

const CATCH_UP_MS = 40_000

let server: SupervisedServer
let ledger: AcknowledgedLedger
let startedAt: number
let clients = 0
beforeEach(async () => {
  ledger = createLedger()
  server = await superviseServer()
  startedAt = Date.now()
  await server.ready()
})
afterEach(() => server.remove())

function startClient() {
  const random = seededRandom(faultSeed())
  const nextBatch = generateTraffic({ random, name: `client-${clients++}`, startedAt })
  const project = server.projects[0] as (typeof server.projects)[0]
  return startRetryingClient({ url: server.url, project, nextBatch, random, ledger })
}

/** Sends for a while; everything is acknowledged when this resolves. */
async function sendFor(ms: number): Promise<void> {
  const client = startClient()
  await sleep(ms)
  await client.stop()
}

function compared(on = server) {
  const project = on.projects[0] as (typeof on.projects)[0]
  return { url: on.url, project, ledger, from: startedAt - OLDEST_MS }
}

async function expectCounted(source: 'live' | 'history', on = server): Promise<void> {
  await until(ledger.events, () => countedEvents(compared(on), source).catch(() => -1), CATCH_UP_MS)
}

async function expectEverythingCounted(on = server): Promise<void> {
  await expectCounted('live', on)
  await expectCounted('history', on)
  expect((await differencesFrom(compared(on))).slice(0, 20)).toEqual([])
  expect(await sendersOutOfOrder(compared(on))).toEqual([])
  const { code, stdout, stderr } = await on.run('audit')
  expect(`${stdout}${stderr}`).toContain('clean')
  expect(code).toBe(0)
}

test('with the log gone, what was archived is still answered and all new events count', async () => {
  await sendFor(2500)
  await expectCounted('history')
  await server.end('SIGTERM')
  await rm(join(server.dataDir, 'log'), { recursive: true })
  server.begin()
  await server.ready()
  await sendFor(2500)
  await expectEverythingCounted()
})

test('with the archive gone, what the log holds is archived again and all new events count', async () => {
  await sendFor(2500)
  await server.end('SIGTERM')
  await rm(join(server.dataDir, 'clickhouse'), { recursive: true })
  server.begin()
  await server.ready()
  await sendFor(2500)
  await expectEverythingCounted()
})

test('a copy of the data directory of a stopped server works elsewhere, and so does the original', async () => {
  await sendFor(2500)
  const { code } = await server.end('SIGTERM')
  expect(code).toBe(0)
  const folder = await mkdtemp(join(tmpdir(), 'nowcast-copy-'))
  await cp(server.dataDir, join(folder, 'data'), { recursive: true })
  const copy = await superviseServer({ folder })
  try {
    server.begin()
    await Promise.all([copy.ready(), server.ready()])
    await expectEverythingCounted(copy)
    await expectEverythingCounted(server)
  } finally {
    await copy.remove()
    await rm(folder, { recursive: true, force: true })
  }
})

test('SIGTERM under load drains: everything acknowledged is there after the restart', async () => {
  const four = Array.from({ length: 4 }, startClient)
  for (let stop = 0; stop < 3; stop++) {
    await sleep(1500)
    const { code, stdout } = await server.restart()
    expect(code).toBe(0)
    expect(stdout).toContain('Stopping')
    await server.ready()
  }
  await Promise.all(four.map((client) => client.stop()))
  expect(server.refusedStarts).toEqual([])
  await expectEverythingCounted()
})

test('an audit while events come in finds no difference', async () => {
  const client = startClient()
  await sleep(1500)
  for (let i = 0; i < 5; i++) {
    const { stdout, stderr } = await server.run('audit')
    expect(`${stdout}${stderr}`).toContain('clean')
  }
  await client.stop()
})

test('with the engine killed again and again ingestion goes on, live never stalls and history catches up', async () => {
  const client = startClient()
  const waits: number[] = []
  for (let kill = 0; kill < 5; kill++) {
    await sleep(600)
    while (!server.killEngine()) await sleep(20)
    for (let i = 0; i < 10; i++) {
      // Young minutes alone: everything else is the archive's to answer.
      const events = () => countedEvents({ ...compared(), from: minuteOf(startedAt) - 5 * 60_000 }, 'live')
      const before = await events()
      const asked = performance.now()
      await until(true, async () => (await events()) > before, 5000)
      waits.push(performance.now() - asked)
    }
  }
  expect(client.retries).toBe(0)
  await client.stop()
  expect(Math.max(...waits)).toBeLessThan(3000)
  expect(server.refusedStarts).toEqual([])
  await expectEverythingCounted()
})

test('kill -9 of the server takes its engine down too', async () => {
  const pid = server.enginePid() as number
  expect(parentOf(pid)).toBeDefined()
  await server.end('SIGKILL')
  await until(false, () => spawnSync('kill', ['-0', String(pid)]).status === 0 && parentOf(pid) !== undefined, 2000)
  server.begin()
  await server.ready()
  expect(server.refusedStarts).toEqual([])
})

function minuteOf(time: number): number {
  return Math.floor(time / 60_000) * 60_000
}
