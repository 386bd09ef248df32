import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createLedger } from '../faults/harness/acknowledged-ledger.ts'
import { type Compared, countedEvents, differencesFrom } from '../faults/harness/compare-figures.ts'
import { generateTraffic, OLDEST_MS } from '../faults/harness/generated-traffic.ts'
import { type RetryingClient, startRetryingClient } from '../faults/harness/retrying-client.ts'
import { faultSeed, seededRandom } from '../faults/harness/seeded-random.ts'
import { knownProject, type ProjectKeys, readTokenOf } from '../servers/known-projects.ts'
import { type DruidCluster, druidIsMissing, startDruid } from '../servers/start-druid.ts'
import { type KafkaServer, kafkaIsMissing, startKafka } from '../servers/start-kafka.ts'
import { startServer, type TestServer } from '../servers/start-server.ts'
import { until } from '../servers/until.ts'

const CATCH_UP_MS = 240_000
const CLIENTS = 2
/** Events that are sent before and after each fault, at least. */
const SOME = 300
const SUPERVISOR = '/druid/indexer/v1/supervisor/nowcast.unique'

describe.skipIf(kafkaIsMissing || druidIsMissing)('history in Druid', () => {
  let kafka: KafkaServer
  let druid: DruidCluster
  let server: TestServer
  const project: ProjectKeys = knownProject('shop', {})
  const ledger = createLedger()
  const startedAt = Date.now()
  const seed = faultSeed()
  let clients: RetryingClient[] = []
  let rounds = 0

  beforeAll(async () => {
    kafka = await startKafka()
    druid = await startDruid()
    const flags = ['--kafka', kafka.address, '--druid', druid.url]
    server = await startServer({ config: { projects: [project] }, flags })
  })
  afterAll(async () => {
    await Promise.allSettled(clients.map((client) => client.stop()))
    await server?.remove()
    await druid?.stop()
    await kafka?.stop()
  })

  function startLoad(): void {
    rounds++
    clients = Array.from({ length: CLIENTS }, (_, i) => {
      const random = seededRandom(seed + rounds * 100 + i)
      const nextBatch = generateTraffic({ random, name: `round-${rounds}-${i}`, startedAt })
      return startRetryingClient({ url: server.url, project, nextBatch, random, ledger })
    })
  }

  async function moreEvents(count = SOME): Promise<void> {
    const wanted = ledger.events + count
    await until(
      true,
      () => ledger.events >= wanted || clients.some(({ problem }) => problem !== undefined),
      CATCH_UP_MS,
    )
    expect(clients.map(({ problem }) => problem)).toEqual(clients.map(() => undefined))
  }

  const archive = async () => {
    const answer = await fetch(`${server.url}/readyz`)
    const { parts } = (await answer.json()) as { parts: { archive: { ready: boolean; message?: string } } }
    return parts.archive
  }
  const doctor = () => server.run('doctor', '--kafka', kafka.address, '--druid', druid.url)

  /** Acknowledged = live = history, and the audit finds no difference. */
  async function expectAllCounted(): Promise<void> {
    const compared: Compared = { url: server.url, project, ledger, from: startedAt - OLDEST_MS }
    const { events } = ledger.total(project.id, compared.from, Date.now())
    await until(events, () => countedEvents(compared, 'history').catch(() => -1), CATCH_UP_MS)
    await until(events, () => countedEvents(compared, 'live').catch(() => -1), CATCH_UP_MS)
    expect((await differencesFrom(compared)).slice(0, 20)).toEqual([])
    const { code, stdout, stderr } = await server.run('audit')
    expect(`${stdout}${stderr}`).toContain('clean')
    expect(code).toBe(0)
  }

  /** Ends the load in the midst of what `fault` has left, and waits until all is counted. */
  async function underLoad(fault: () => Promise<void>): Promise<void> {
    startLoad()
    try {
      await moreEvents()
      await fault()
      await moreEvents()
    } finally {
      await Promise.all(clients.map((client) => client.stop()))
      clients = []
    }
    await expectAllCounted()
  }

  test('what was acknowledged is counted once, live and in history', async () => {
    await underLoad(async () => {})
    expect(await archive()).toEqual({ ready: true })
    const { stdout } = await doctor()
    expect(stdout).toMatch(/✓ Druid supervisor +nowcast\.unique is read/)
  })

  test('what Druid cannot do is answered 501, with the reason', async () => {
    const steps = [{ name: 'page_view' }, { name: 'purchase' }]
    const answer = await fetch(`${server.url}/v1/query`, {
      method: 'POST',
      headers: { authorization: `Bearer ${readTokenOf(project)}`, 'content-type': 'application/json' },
      body: JSON.stringify({ kind: 'funnel', steps, range: { last: '30d' } }),
    })
    expect(answer.status).toBe(501)
    expect(await answer.json()).toMatchObject({
      error: { code: 'not_supported', message: expect.stringMatching(/Druid.*funnels/) },
    })
  })

  test('a suspended supervisor is told, and nothing is lost meanwhile', () =>
    underLoad(async () => {
      const post = (verb: string) => fetch(`${druid.url}${SUPERVISOR}/${verb}`, { method: 'POST' })
      expect((await post('suspend')).status).toBe(200)
      await until(false, async () => (await archive()).ready, CATCH_UP_MS)
      expect((await archive()).message).toMatch(/nowcast\.unique is suspended in Druid: resume it/)
      expect((await doctor()).stdout).toMatch(/✗ Druid supervisor +the supervisor nowcast\.unique is suspended/)
      await moreEvents()
      expect((await post('resume')).status).toBe(200)
    }))

  test('a killed indexer loses and doubles nothing', () =>
    underLoad(async () => {
      await druid.kill('indexer')
      await moreEvents()
      await druid.start('indexer')
    }))

  test('a killed coordinator and overlord loses and doubles nothing', () =>
    underLoad(async () => {
      await druid.kill('coordinator')
      await moreEvents()
      await druid.start('coordinator')
    }))

  test('while Druid is unreachable events are taken and the answer says so', () =>
    underLoad(async () => {
      await druid.kill('router')
      await until(false, async () => (await archive()).ready, CATCH_UP_MS)
      expect((await archive()).message).toMatch(/Druid does not answer at http:\/\/127\.0\.0\.1:\d+/)
      expect((await doctor()).stdout).toMatch(/✗ Druid connection +Druid does not answer/)
      await moreEvents()
      await druid.start('router')
    }))

  test('a restart of Kafka loses and doubles nothing', () =>
    underLoad(async () => {
      await kafka.kill()
      await kafka.start()
    }))

  test('a killed server goes on where the topic ends', () =>
    underLoad(async () => {
      for (let i = 0; i < 3; i++) {
        await server.kill()
        await server.start()
        await moreEvents(50)
      }
    }))
})
