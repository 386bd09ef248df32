import { setTimeout as sleep } from 'node:timers/promises'
import type { TotalAnswer } from '@nowcast/protocol'
import { io, type Socket } from 'socket.io-client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ROLES } from '../../packages/server/src/config.ts'
import { type AcknowledgedLedger, createLedger } from '../faults/harness/acknowledged-ledger.ts'
import { countedEvents, differencesFrom, sendersOutOfOrder } from '../faults/harness/compare-figures.ts'
import { generateTraffic, type KnownEvent, OLDEST_MS, RUN } from '../faults/harness/generated-traffic.ts'
import { startRetryingClient } from '../faults/harness/retrying-client.ts'
import { faultSeed, seededRandom } from '../faults/harness/seeded-random.ts'
import { readTokenOf } from '../servers/known-projects.ts'
import { sendEvents } from '../servers/requests.ts'
import { until } from '../servers/until.ts'
import { clusterFaults, HAND_OVER_MS } from './harness/cluster-faults.ts'
import type { ClusterProcess } from './harness/cluster-process.ts'
import { type LiveViewer, startLiveViewer } from './harness/live-viewer.ts'
import { type Cluster, startCluster } from './harness/start-cluster.ts'

/** In all; the long form has 250. */
const FAULTS = Number(process.env.CLUSTER_FAULTS ?? 6)
/** Between batches of a client: the long form is under more load too. */
const PAUSE_MS = FAULTS > 6 ? 60 : 200
const FAULT_MS = 40_000
const CATCH_UP_MS = 120_000
const CLIENTS = 4
const HOUR_MS = 3_600_000

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
    return startRetryingClient({ url, project, nextBatch, random, ledger, pauseMs: PAUSE_MS })
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

test('processes that leave have handed over what they did within two seconds', async () => {
  const { project } = cluster
  const leaving = ROLES.map((role) => cluster.withRole(role).at(-1) as ClusterProcess)
  const [node] = cluster.withRole('ingest') as [ClusterProcess]
  const [query] = cluster.withRole('query') as [ClusterProcess]
  const compared = { url: query.url, project, ledger, from: startedAt - OLDEST_MS }
  let quickestMs = Number.POSITIVE_INFINITY
  // A busy machine may take longer than the promise, but not always.
  for (let turn = 0; turn < 3 && quickestMs > HAND_OVER_MS; turn++) {
    const toldAt = performance.now()
    const left = leaving.map((process) => process.leave())
    // Of partitions of which one or the other has had half.
    const events = Array.from(
      { length: 64 },
      (_, i): KnownEvent => ({
        ...{
          id: `handed-${turn}-${i}`,
          name: 'click',
          timestamp: Date.now(),
          anonymousId: `handed-${turn}-${i}`,
          category: 'x',
        },
        ...{ properties: { run: RUN }, context: { country: 'DE', userAgent: 'Mozilla/5.0 Firefox/128.0' } },
      }),
    )
    await sendEvents(node.url, project.secretKey, events)
    ledger.record(project.id, { key: 'secret', events })
    const counted = ledger.total(project.id, compared.from, Date.now()).events
    await until(counted, () => countedEvents(compared, 'live').catch(() => -1), CATCH_UP_MS)
    const countedMs = performance.now() - toldAt
    const leftMs = (await Promise.all(left)).map(({ ms }) => ms)
    process.stdout.write(`left within ${leftMs.map(Math.round)} ms, counted after ${Math.round(countedMs)} ms\n`)
    quickestMs = Math.min(quickestMs, Math.max(countedMs, ...leftMs))
    for (const process of leaving) process.join()
    await Promise.all(leaving.map((process) => process.ready()))
  }
  expect(quickestMs).toBeLessThan(HAND_OVER_MS)
  await expectAllCounted()
})

test('a viewer that moves to another node goes on from its snapshot: no gap, no repeat', async () => {
  const [from, to] = cluster.withRole('query') as [ClusterProcess, ClusterProcess]
  const hour = Math.floor(Date.now() / HOUR_MS) * HOUR_MS
  const range = { from: hour - 2 * HOUR_MS, to: hour + 2 * HOUR_MS }
  const query = { kind: 'total', metric: 'events', range }
  const sent = () => ledger.total(cluster.project.id, range.from, range.to).events
  const totalOf = (answer: unknown) => (answer as TotalAnswer).v
  const connect = (url: string) =>
    io(url, { path: '/live', transports: ['websocket'], auth: { token: readTokenOf(cluster.project) } })
  const emit = (socket: Socket, event: string, message: object) => socket.timeout(30_000).emitWithAck(event, message)
  const send = () => sendDuring(faultSeed() + 1000 * ++rounds, () => sleep(1000))
  let rounds = 0
  const sockets = [connect(from.url), connect(to.url)] as const
  try {
    await send()
    const held = await emit(sockets[0], 'subscribe', query)
    const before = { v: totalOf(held.snapshot), revision: held.revision as number }
    sockets[0].on('delta', ({ revision, answer }) => Object.assign(before, { v: totalOf(answer), revision }))
    await until(sent(), () => before.v, CATCH_UP_MS)
    sockets[0].disconnect()
    await send()

    // The other node numbers its revisions by itself: what it does not know it does not make up.
    const { revision } = before
    expect((await emit(sockets[1], 'resume', { id: held.id, revision })).error.code).toBe('not_found')
    const taken = await emit(sockets[1], 'resume', { id: held.id, revision, query })
    expect(taken).toMatchObject({ id: expect.not.stringMatching(held.id), snapshot: { kind: 'total' } })
    const revisions = [taken.revision as number]
    let v = totalOf(taken.snapshot)
    sockets[1].on('delta', (delta) => {
      expect(delta.id).toBe(taken.id)
      revisions.push(delta.revision)
      v = totalOf(delta.answer)
    })
    await until(sent(), () => v, CATCH_UP_MS)
    await send()
    await until(sent(), () => v, CATCH_UP_MS)
    expect(revisions).toEqual(revisions.map((_, i) => (revisions[0] as number) + i))
  } finally {
    for (const socket of sockets) socket.disconnect()
  }
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
