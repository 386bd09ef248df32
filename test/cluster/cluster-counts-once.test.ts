import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type AcknowledgedLedger, createLedger } from '../faults/harness/acknowledged-ledger.ts'
import { countedEvents, differencesFrom, sendersOutOfOrder } from '../faults/harness/compare-figures.ts'
import { generateTraffic, OLDEST_MS } from '../faults/harness/generated-traffic.ts'
import { startRetryingClient } from '../faults/harness/retrying-client.ts'
import { faultSeed, seededRandom } from '../faults/harness/seeded-random.ts'
import { until } from '../servers/until.ts'
import { clusterFaults, HAND_OVER_MS } from './harness/cluster-faults.ts'
import { type LiveViewer, startLiveViewer } from './harness/live-viewer.ts'
import { type Cluster, startCluster } from './harness/start-cluster.ts'

/** In all; the long form has 250. */
const FAULTS = Number(process.env.CLUSTER_FAULTS ?? 6)
const FAULT_MS = 40_000
const CATCH_UP_MS = 120_000
const CLIENTS = 4

let cluster: Cluster
let viewers: LiveViewer[]
let ledger: AcknowledgedLedger
const startedAt = Date.now()

beforeAll(async () => {
  cluster = await startCluster()
  viewers = cluster.withRole('query').map(({ url }) => startLiveViewer(url, cluster.project))
  ledger = createLedger()
})
afterAll(async () => {
  for (const viewer of viewers ?? []) viewer.stop()
  await cluster?.remove()
})

/** Sends while `meanwhile` happens; everything is acknowledged when this resolves. */
async function sendDuring(seed: number, meanwhile: () => Promise<void>): Promise<void> {
  const { project } = cluster
  const nodes = cluster.withRole('ingest')
  const clients = Array.from({ length: CLIENTS }, (_, i) => {
    const random = seededRandom(seed + i)
    const nextBatch = generateTraffic({ random, name: `${seed}-${i}`, startedAt })
    const { url } = nodes[i % nodes.length] as (typeof nodes)[0]
    return startRetryingClient({ url, project, nextBatch, random, ledger })
  })
  await meanwhile()
  await Promise.all(clients.map((client) => client.stop()))
}

/** Acknowledged = live = history = rollups = log, on every query node, and for those who watched all along. */
async function expectAllCounted(): Promise<void> {
  const { project } = cluster
  for (const { url } of cluster.withRole('query')) {
    const compared = { url, project, ledger, from: startedAt - OLDEST_MS }
    const { events } = ledger.total(project.id, compared.from, Date.now())
    await until(events, () => countedEvents(compared, 'live').catch(() => -1), CATCH_UP_MS)
    await until(events, () => countedEvents(compared, 'history').catch(() => -1), CATCH_UP_MS)
    expect((await differencesFrom(compared)).slice(0, 20)).toEqual([])
    expect(await sendersOutOfOrder(compared)).toEqual([])
  }
  for (const viewer of viewers) {
    await until('', async () => (await viewer.differences()).slice(0, 5).join('\n'), CATCH_UP_MS)
  }
  const audit = await cluster.withRole('query')[0]?.run('audit')
  expect(`${audit?.stdout}${audit?.stderr}`).toContain('clean')
  expect(cluster.processes.flatMap(({ ownEnds }) => ownEnds)).toEqual([])
}

test('two processes of each role count once', async () => {
  await sendDuring(faultSeed(), () => sleep(5000))
  await expectAllCounted()
})

test('the doctor finds nothing to do', async () => {
  const run = await cluster.withRole('query')[0]?.run('doctor')
  expect(run?.stdout).toMatch(/Kafka brokers.*\n(.*\n)*.*Redis eviction.*\n(.*\n)*.*ClickHouse version/)
  expect(run).toMatchObject({ code: 0, stdout: expect.stringContaining('All is well') })
})

test(
  `they count once through ${FAULTS} faults`,
  async () => {
    const seed = faultSeed()
    const random = seededRandom(seed)
    const slowLeaves: string[] = []
    const kinds = clusterFaults(cluster, random, ({ name }, ms) => {
      if (ms > HAND_OVER_MS * 5) slowLeaves.push(`${name}: ${Math.round(ms)} ms`)
    })
    const done = new Map<string, number>()
    // Every kind comes in turn, in an order that the seed chooses.
    let left: typeof kinds = []
    await sendDuring(seed, async () => {
      for (let i = 0; i < FAULTS; i++) {
        if (left.length === 0) left = [...kinds]
        const [fault] = left.splice(random.between(0, left.length), 1) as [(typeof kinds)[0]]
        process.stdout.write(`${i + 1}/${FAULTS} ${fault.name}\n`)
        await fault.inject()
        done.set(fault.name, (done.get(fault.name) ?? 0) + 1)
        await sleep(random.between(0, 3000))
      }
    })
    process.stdout.write(
      `${ledger.events} events; ${[...done].map(([name, times]) => `${times} × ${name}`).join(', ')}\n`,
    )
    await expectAllCounted()
    expect(slowLeaves).toEqual([])
  },
  120_000 + CATCH_UP_MS * 2 + FAULTS * FAULT_MS,
)
