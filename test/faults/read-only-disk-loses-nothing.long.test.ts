import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { request } from '../servers/requests.ts'
import { until } from '../servers/until.ts'
import { createLedger } from './harness/acknowledged-ledger.ts'
import { countedEvents, differencesFrom } from './harness/compare-figures.ts'
import { generateTraffic, OLDEST_MS } from './harness/generated-traffic.ts'
import { startRetryingClient } from './harness/retrying-client.ts'
import { faultSeed, seededRandom } from './harness/seeded-random.ts'
import { type SupervisedServer, superviseServer } from './harness/supervised-server.ts'

const CATCH_UP_MS = 120_000
const run = (command: string, ...args: string[]) => spawnSync(command, args).status === 0

/**
 * What is opened in a folder from now on is on a disk that takes no writes; open files stay as they are. Refused as long
 * as a file that was opened since the first of the two is being written: tried until it is not.
 */
const makeReadOnly = (folder: string) =>
  run('mount', '--bind', folder, folder) &&
  Array.from({ length: 200 }).some(() => run('mount', '-o', 'remount,ro,bind', folder))
const makeWritable = (folder: string) => run('umount', '-l', folder)

const probe = mkdtempSync(join(tmpdir(), 'nowcast-mount-'))
const canMount = makeReadOnly(probe)
makeWritable(probe)
rmSync(probe, { recursive: true })

let server: SupervisedServer
let archive: string
beforeAll(async () => {
  if (!canMount) return
  server = await superviseServer()
  archive = join(server.dataDir, 'clickhouse')
  await server.ready()
})
afterAll(async () => {
  if (archive) makeWritable(archive)
  await server?.remove()
})

// Only root may mount.
test.skipIf(!canMount)(
  'while the disk of the archive is read-only it is said so, events are taken, and all are counted when it is writable again',
  async () => {
    const project = server.projects[0] as (typeof server.projects)[0]
    const startedAt = Date.now()
    const random = seededRandom(faultSeed())
    const ledger = createLedger()
    const nextBatch = generateTraffic({ random, name: 'read-only', startedAt })
    const client = startRetryingClient({ url: server.url, project, nextBatch, random, ledger, pauseMs: 10 })
    await until(true, () => ledger.events > 200)
    const engine = server.enginePid()

    expect(makeReadOnly(archive)).toBe(true)
    const words = /its disk is read-only: .*mount it for writing again/
    const readiness = async () => JSON.stringify((await request(`${server.url}/readyz`)).body)
    await until(true, async () => words.test(await readiness()), CATCH_UP_MS)
    expect(server.stderr()).toMatch(words)
    const { events } = ledger
    await until(true, () => ledger.events > events + 200)
    await sleep(2000)
    expect(makeWritable(archive)).toBe(true)

    await client.stop()
    const compared = { url: server.url, project, ledger, from: startedAt - OLDEST_MS }
    const sent = ledger.total(project.id, compared.from, Date.now()).events
    await until(sent, () => countedEvents(compared, 'live').catch(() => -1), CATCH_UP_MS)
    await until(sent, () => countedEvents(compared, 'history').catch(() => -1), CATCH_UP_MS)
    expect((await differencesFrom(compared)).slice(0, 20)).toEqual([])
    const audit = await server.run('audit')
    expect(`${audit.stdout}${audit.stderr}`).toContain('clean')
    await until(200, async () => (await request(`${server.url}/readyz`)).status)
    // It went on by itself.
    expect([client.statuses.size, server.enginePid(), server.refusedStarts]).toEqual([0, engine, []])
  },
)
