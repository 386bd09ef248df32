import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../servers/until.ts'
import { type AcknowledgedLedger, createLedger } from './harness/acknowledged-ledger.ts'
import { type Compared, countedEvents, differencesFrom, sendersOutOfOrder } from './harness/compare-figures.ts'
import { generateTraffic, OLDEST_MS } from './harness/generated-traffic.ts'
import { createFaultInjector } from './harness/inject-faults.ts'
import { type RetryingClient, startRetryingClient } from './harness/retrying-client.ts'
import { faultSeed, seededRandom } from './harness/seeded-random.ts'
import { type SupervisedServer, superviseServer } from './harness/supervised-server.ts'

const KILLS = Number(process.env.FAULT_KILLS ?? 20)
/** Between batches of a client: the long form is under more load too. */
const PAUSE_MS = KILLS > 20 ? 60 : 200
const KILL_MS = 20_000
const CLIENTS = 4
const CATCH_UP_MS = 60_000

let server: SupervisedServer
let ledger: AcknowledgedLedger
let compared: Compared[]

beforeAll(async () => {
  server = await superviseServer()
  await server.ready()
  ledger = createLedger()
})
afterAll(() => server?.remove())

async function expectAllCounted(): Promise<void> {
  for (const one of compared) {
    const { events } = ledger.total(one.project.id, one.from, Date.now())
    // An engine that was killed last may be starting again.
    await until(events, () => countedEvents(one, 'live').catch(() => -1), CATCH_UP_MS)
    await until(events, () => countedEvents(one, 'history').catch(() => -1), CATCH_UP_MS)
  }
  const differences = await Promise.all(compared.map(differencesFrom))
  expect(differences.flat().slice(0, 20)).toEqual([])
  const disorder = await Promise.all(compared.map(sendersOutOfOrder))
  expect(disorder.flat()).toEqual([])
}

async function expectCleanAudit(): Promise<void> {
  const { code, stdout, stderr } = await server.run('audit')
  expect(`${stdout}${stderr}`).toContain('clean')
  expect(code).toBe(0)
}

test(
  `killed ${KILLS} times: what was acknowledged is counted once, live and in history`,
  async () => {
    const seed = faultSeed()
    const startedAt = Date.now()
    const injector = createFaultInjector({ server, random: seededRandom(seed), kills: KILLS })
    const clients: RetryingClient[] = Array.from({ length: CLIENTS }, (_, i) => {
      const random = seededRandom(seed + i + 1)
      const project = server.projects[i % server.projects.length] as (typeof server.projects)[0]
      const nextBatch = generateTraffic({ random, name: `client-${i}`, startedAt })
      return startRetryingClient({
        url: server.url,
        ...{ project, nextBatch, random, ledger, pauseMs: PAUSE_MS, onMoment: injector.onMoment },
      })
    })
    const done = await injector.run()
    await server.ready()
    await Promise.all(clients.map((client) => client.stop()))

    const retries = clients.reduce((sum, client) => sum + client.retries, 0)
    const kinds = [...done].map(([fault, times]) => `${times} × ${fault}`).join(', ')
    process.stdout.write(`${KILLS} kills (${kinds}), ${ledger.events} events, ${retries} retries\n`)
    expect(retries).toBeGreaterThan(KILLS / 4)
    compared = server.projects.map((project) => ({ url: server.url, project, ledger, from: startedAt - OLDEST_MS }))
    await expectAllCounted()
    expect(server.refusedStarts).toEqual([])
  },
  60_000 + KILLS * KILL_MS,
)

test('the audit finds no difference', expectCleanAudit)

test('after a stop and a start every figure is the same', async () => {
  const { code } = await server.restart()
  expect(code).toBe(0)
  await server.ready()
  await expectAllCounted()
  await expectCleanAudit()
})
