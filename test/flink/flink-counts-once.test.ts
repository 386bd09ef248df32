import { readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createLedger } from '../faults/harness/acknowledged-ledger.ts'
import { type Compared, countedEvents, differencesFrom } from '../faults/harness/compare-figures.ts'
import { generateTraffic, OLDEST_MS } from '../faults/harness/generated-traffic.ts'
import { type RetryingClient, startRetryingClient } from '../faults/harness/retrying-client.ts'
import { faultSeed, seededRandom } from '../faults/harness/seeded-random.ts'
import { knownProject, type ProjectKeys } from '../servers/known-projects.ts'
import { type CliRun, runNowcast } from '../servers/nowcast-cli.ts'
import { type FlinkCluster, flinkIsMissing, startFlink } from '../servers/start-flink.ts'
import { type KafkaServer, kafkaIsMissing, startKafka } from '../servers/start-kafka.ts'
import { isRedisSkipped, startRedis, type TestRedis } from '../servers/start-redis.ts'
import { startServer, type TestServer } from '../servers/start-server.ts'
import { until } from '../servers/until.ts'

const JAR = fileURLToPath(new URL('../../deploy/flink/target/nowcast-flink.jar', import.meta.url))
const CATCH_UP_MS = 240_000
const SUBMIT_MS = 240_000
const CLIENTS = 3
const HOUR_MS = 3_600_000
/** Checkpoints write what they hold, however little it is. */
const ALL_IN_FILES = { 'execution.checkpointing.data-inline-threshold': 0 }
const TRANSACTION_S = 60
/** Brokers look for transactions to give up every 10 s. */
const GIVEN_UP_MS = (TRANSACTION_S + 15) * 1000
/** Events that are sent before and after each fault, at least. */
const SOME = 400

describe.skipIf(kafkaIsMissing || flinkIsMissing || isRedisSkipped)('windows counted by a job in Flink', () => {
  let kafka: KafkaServer
  let redis: TestRedis
  let flink: FlinkCluster
  let server: TestServer
  const project: ProjectKeys = knownProject('shop', {})
  const ledger = createLedger()
  const startedAt = Date.now()
  const seed = faultSeed()
  let clients: RetryingClient[] = []
  let rounds = 0

  beforeAll(async () => {
    ;[kafka, redis] = await Promise.all([startKafka(), startRedis()])
    const flags = ['--kafka', kafka.address, '--redis', redis.url, '--aggregator', 'flink']
    server = await startServer({ config: { projects: [project] }, flags })
    flink = await startFlink([JAR], ALL_IN_FILES)
  })
  afterAll(async () => {
    await Promise.allSettled(clients.map((client) => client.stop()))
    await server?.remove()
    await flink?.stop()
    await Promise.all([kafka?.stop(), redis?.remove()])
  })

  const submit = (...args: string[]): Promise<CliRun> =>
    runNowcast(['flink', '--kafka', kafka.address, '--gateway', flink.gateway, ...args], server.folder, SUBMIT_MS)

  /** @returns the job's id */
  async function submitted(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await submit(...args)
    expect(stderr).toBe('')
    expect(stdout).toContain('The job runs in Flink')
    expect(code).toBe(0)
    return /: ([0-9a-f]{32})$/m.exec(stdout)?.[1] as string
  }

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

  async function stopLoad(): Promise<void> {
    await Promise.all(clients.map((client) => client.stop()))
    clients = []
  }

  const readiness = async () => {
    const answer = await fetch(`${server.url}/readyz`)
    const { parts } = (await answer.json()) as { parts: { live: { ready: boolean; message?: string } } }
    return parts.live
  }

  const untilSaid = (words: RegExp) =>
    until(true, async () => words.test((await readiness()).message ?? ''), CATCH_UP_MS)

  const doctor = () => server.run('doctor', '--kafka', kafka.address, '--redis', redis.url, '--aggregator', 'flink')

  /** Acknowledged = live = history, and the audit, which compares what the job counted, finds no difference. */
  async function expectAllCounted(): Promise<void> {
    const compared: Compared = { url: server.url, project, ledger, from: startedAt - OLDEST_MS }
    const { events } = ledger.total(project.id, compared.from, Date.now())
    await until(events, () => countedEvents(compared, 'history').catch(() => -1), CATCH_UP_MS)
    const recent = ledger.total(project.id, Date.now() - 23 * HOUR_MS, Date.now()).events
    await until(true, async () => liveEvents(await server.run('audit')) >= recent, CATCH_UP_MS)
    await until(events, () => countedEvents(compared, 'live').catch(() => -1), CATCH_UP_MS)
    expect((await differencesFrom(compared)).slice(0, 20)).toEqual([])
    const { code, stdout, stderr } = await server.run('audit')
    expect(`${stdout}${stderr}`).toContain('clean')
    expect(code).toBe(0)
  }

  /** Of those that the hot store holds and is complete with; -1 while the audit finds differences. */
  const liveEvents = ({ stdout }: CliRun) => Number(/clean: \d+ live minutes with (\d+) events/.exec(stdout)?.[1] ?? -1)

  /** Ends the load in the midst of what `fault` has left, and waits until all is counted. */
  async function underLoad(fault: () => Promise<void>): Promise<void> {
    startLoad()
    try {
      await moreEvents()
      await fault()
      await moreEvents()
    } finally {
      await stopLoad()
    }
    await expectAllCounted()
  }

  test('without the job nothing is lost: history answers, and /readyz and doctor say what to do', async () => {
    startLoad()
    await moreEvents()
    await stopLoad()
    const { events } = ledger.total(project.id, startedAt - OLDEST_MS, Date.now())
    const compared: Compared = { url: server.url, project, ledger, from: startedAt - OLDEST_MS }
    await until(events, () => countedEvents(compared, 'live').catch(() => -1), CATCH_UP_MS)
    await until(false, async () => (await readiness()).ready, CATCH_UP_MS)
    expect((await readiness()).message).toMatch(
      /nowcast\.windows holds no windows of ours.*start the job with nowcast flink/,
    )
    const { stdout, code } = await doctor()
    expect(stdout).toMatch(/✗ server: live +the topic nowcast\.windows holds no windows/)
    expect(stdout).toMatch(/✗ windows of Flink: job +nowcast\.windows holds no windows: start the job/)
    expect(code).toBe(1)
  })

  test('what was acknowledged is counted once, live and in history', async () => {
    await submitted()
    await until(true, async () => (await readiness()).ready, CATCH_UP_MS)
    await underLoad(async () => {})
    const { stdout } = await doctor()
    expect(stdout).toMatch(/✓ windows of Flink: job +nowcast\.windows holds what the job has counted/)
    expect(stdout).toContain('All is well.')
    const { stderr, code } = await submit()
    expect(stderr).toMatch(/is there already .*--upgrade/)
    expect(code).toBe(1)
  })

  test('a killed task manager loses and doubles nothing', () =>
    underLoad(async () => {
      await flink.kill('taskManager')
      await moreEvents()
      await flink.start('taskManager')
    }))

  test('a restart of Kafka loses and doubles nothing', () =>
    underLoad(async () => {
      await kafka.kill()
      await untilSaid(/Kafka, topic nowcast\.windows: no connection to Kafka at/)
      expect((await doctor()).stdout).toMatch(/✗ windows of Flink: topic +nowcast\.windows: no connection to Kafka at/)
      await kafka.start()
    }))

  test('a killed server goes on where the store stands', () =>
    underLoad(async () => {
      await server.kill()
      await server.start()
    }))

  test('Redis that lost everything is filled again from the topic', () =>
    underLoad(async () => {
      await redis.command('FLUSHALL')
    }))

  test('a job that is upgraded from a savepoint under load loses and doubles nothing', () =>
    underLoad(async () => {
      await submitted('--upgrade', '--checkpoint', '700ms', '--transaction-timeout', `${TRANSACTION_S}s`)
    }))

  test('checkpoints that fail for longer than transactions last lose and double nothing', () =>
    underLoad(async () => {
      const job = await submitted('--upgrade', '--checkpoint', '700ms', '--transaction-timeout', `${TRANSACTION_S}s`)
      await moreEvents()
      // Tasks write what a checkpoint holds in it; the job manager's own part goes on.
      const state = join(flink.folder, 'checkpoints', job, 'shared')
      renameSync(state, `${state}-away`)
      writeFileSync(state, 'the place of checkpoints is away')
      await sleep(GIVEN_UP_MS)
      rmSync(state)
      renameSync(`${state}-away`, state)
    }))

  test('a killed job manager: the job goes on from the checkpoint that it left', () =>
    underLoad(async () => {
      // Its transactions must outlast the time without it: brokers drop those that a checkpoint had not yet committed.
      await submitted('--upgrade', '--checkpoint', '700ms')
      await until(true, () => latestCheckpoint(flink.folder) !== undefined, CATCH_UP_MS)
      await moreEvents()
      await flink.kill('jobManager')
      await moreEvents()
      await untilSaid(/the job in Flink has written nothing for \d+ s and \d+ events wait: is it running/)
      expect((await doctor()).stdout).toMatch(
        /✗ windows of Flink: job +it has written nothing for \d+ s and \d+ events wait; the last one that it counted came at 20/,
      )
      await flink.start('jobManager')
      await submitted('--from', latestCheckpoint(flink.folder) as string)
    }))

  test('a job that begins anew, without its state, is trusted when it has caught up', () =>
    underLoad(async () => {
      await flink.kill('jobManager')
      await flink.start('jobManager')
      await submitted()
    }))
})

/** The last checkpoint that was completed, of whichever job. */
function latestCheckpoint(folder: string): string | undefined {
  const found: { path: string; at: number }[] = []
  for (const job of readdirSync(join(folder, 'checkpoints'))) {
    for (const name of readdirSync(join(folder, 'checkpoints', job)).filter((each) => each.startsWith('chk-'))) {
      const path = join(folder, 'checkpoints', job, name)
      const metadata = statSync(join(path, '_metadata'), { throwIfNoEntry: false })
      if (metadata) found.push({ path: `file://${path}`, at: metadata.mtimeMs })
    }
  }
  found.sort((a, b) => b.at - a.at)
  return found[0]?.path
}
