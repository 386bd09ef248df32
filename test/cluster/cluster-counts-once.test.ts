import { afterAll, beforeAll, expect, test } from 'vitest'
import { createLedger } from '../faults/harness/acknowledged-ledger.ts'
import { countedEvents, differencesFrom, sendersOutOfOrder } from '../faults/harness/compare-figures.ts'
import { generateTraffic, OLDEST_MS } from '../faults/harness/generated-traffic.ts'
import { startRetryingClient } from '../faults/harness/retrying-client.ts'
import { faultSeed, seededRandom } from '../faults/harness/seeded-random.ts'
import { until } from '../servers/until.ts'
import { type Cluster, startCluster } from './harness/start-cluster.ts'

const CATCH_UP_MS = 120_000
let cluster: Cluster
beforeAll(async () => {
  cluster = await startCluster()
})
afterAll(() => cluster?.remove())

test('events through two processes of each role are counted once, live and in history', async () => {
  const seed = faultSeed()
  const startedAt = Date.now()
  const ledger = createLedger()
  const { project } = cluster
  const clients = cluster.withRole('ingest').map(({ url }, i) => {
    const random = seededRandom(seed + i)
    const nextBatch = generateTraffic({ random, name: `client-${i}`, startedAt })
    return startRetryingClient({ url, project, nextBatch, random, ledger })
  })
  await new Promise((resolve) => setTimeout(resolve, 8000))
  await Promise.all(clients.map((client) => client.stop()))
  const compared = cluster.withRole('query').map(({ url }) => ({ url, project, ledger, from: startedAt - OLDEST_MS }))
  for (const one of compared) {
    const { events } = ledger.total(project.id, one.from, Date.now())
    await until(events, () => countedEvents(one, 'live').catch(() => -1), CATCH_UP_MS)
    await until(events, () => countedEvents(one, 'history').catch(() => -1), CATCH_UP_MS)
    expect((await differencesFrom(one)).slice(0, 20)).toEqual([])
    expect(await sendersOutOfOrder(one)).toEqual([])
  }
  const audit = await cluster.withRole('query')[0]?.run('audit')
  expect(`${audit?.stdout}${audit?.stderr}`).toContain('clean')
  expect(cluster.processes.flatMap(({ ownEnds }) => ownEnds)).toEqual([])
})
