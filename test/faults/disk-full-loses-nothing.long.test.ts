import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, statfsSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../servers/until.ts'
import { type AcknowledgedLedger, createLedger } from './harness/acknowledged-ledger.ts'
import { countedEvents, differencesFrom } from './harness/compare-figures.ts'
import { generateTraffic, OLDEST_MS } from './harness/generated-traffic.ts'
import { type RetryingClient, startRetryingClient } from './harness/retrying-client.ts'
import { faultSeed, seededRandom } from './harness/seeded-random.ts'
import { type SupervisedServer, superviseServer } from './harness/supervised-server.ts'

const DISK_BYTES = 128 * 1024 * 1024
const disk = mkdtempSync(join(tmpdir(), 'nowcast-small-disk-'))
const isMounted =
  spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', disk], { encoding: 'utf8' }).status === 0

let server: SupervisedServer
let ledger: AcknowledgedLedger
let client: RetryingClient
beforeAll(async () => {
  if (!isMounted) return
  server = await superviseServer({ folder: disk })
  await server.ready()
})
afterAll(async () => {
  await server?.remove()
  if (isMounted) spawnSync('umount', ['-l', disk])
  rmSync(disk, { recursive: true, force: true })
})

/** Takes all the room that is left. */
async function fillDisk(): Promise<void> {
  const file = await open(join(disk, 'filler'), 'a')
  const piece = Buffer.alloc(64 * 1024)
  try {
    for (;;) await file.write(piece)
  } catch (error) {
    expect(error).toMatchObject({ code: 'ENOSPC' })
  } finally {
    await file.close()
  }
}

function freeBytes(): number {
  const { bavail, bsize } = statfsSync(disk)
  return bavail * bsize
}

async function expectAllCounted(from: number): Promise<void> {
  const [project] = server.projects
  if (!project) throw new Error('no project')
  const compared = { url: server.url, project, ledger, from }
  const { events } = ledger.total(project.id, from, Date.now())
  await until(events, () => countedEvents(compared, 'live').catch(() => -1), 60_000)
  await until(events, () => countedEvents(compared, 'history').catch(() => -1), 60_000)
  expect((await differencesFrom(compared)).slice(0, 20)).toEqual([])
}

// Only root may mount a disk that is small enough to fill.
test.skipIf(!isMounted)('a full disk is answered with 503, and what was acknowledged is counted once', async () => {
  const startedAt = Date.now()
  const random = seededRandom(faultSeed())
  ledger = createLedger()
  client = startRetryingClient({
    url: server.url,
    project: server.projects[0] as (typeof server.projects)[0],
    nextBatch: generateTraffic({ random, name: 'full', startedAt }),
    ...{ random, ledger, pauseMs: 10 },
  })
  await sleep(2000)
  for (let round = 0; round < 3; round++) {
    const before = client.statuses.get(503) ?? 0
    while ((client.statuses.get(503) ?? 0) < before + 20) {
      expect(client.problem).toBeUndefined()
      await fillDisk()
      await sleep(50)
    }
    await sleep(1500)
    await rm(join(disk, 'filler'))
    const { events } = ledger
    await until(true, () => ledger.events > events + 100, 30_000)
  }
  await client.stop()
  expect([...client.statuses.keys()]).toEqual([503])
  expect(freeBytes(), readdirSync(disk).join()).toBeGreaterThan(0)
  expect(server.refusedStarts).toEqual([])
  await expectAllCounted(startedAt - OLDEST_MS)
  const audit = await server.run('audit')
  expect(`${audit.stdout}${audit.stderr}`).toContain('clean')

  await until(503, async () => {
    await fillDisk()
    return (await postBulk()).status
  })
  const stopped = await server.end('SIGTERM')
  expect(stopped.code).toBe(0)
  await rm(join(disk, 'filler'))
  server.begin()
  await server.ready()
  await expectAllCounted(startedAt - OLDEST_MS)
})

/** Half a megabyte for another project: more than the log's free pages hold. */
function postBulk(): Promise<Response> {
  const headers = { authorization: `Bearer ${server.projects[1]?.secretKey}`, 'content-type': 'application/json' }
  const properties = { bulk: 'x'.repeat(7000) }
  const events = Array.from({ length: 70 }, () => ({ name: 'click', anonymousId: 'a', properties }))
  return fetch(`${server.url}/v1/events`, { method: 'POST', headers, body: JSON.stringify({ events }) })
}
