import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ClusterProcess } from '../cluster/harness/cluster-process.ts'
import { type CountedLoad, createCountedLoad } from '../cluster/harness/counted-load.ts'
import { type Cluster, startCluster } from '../cluster/harness/start-cluster.ts'
import { type FlinkCluster, flinkIsMissing, startFlink } from '../servers/start-flink.ts'
import { kafkaIsMissing } from '../servers/start-kafka.ts'
import { isRedisSkipped } from '../servers/start-redis.ts'
import { until } from '../servers/until.ts'

const JAR = fileURLToPath(new URL('../../deploy/flink/target/nowcast-flink.jar', import.meta.url))
const TAKE_OVER_MS = 60_000
/** Longer than the session of a silent process, 6 s. */
const ZOMBIE_MS = 10_000
const BATCH = 50

describe.skipIf(kafkaIsMissing || flinkIsMissing || isRedisSkipped)('three processes that aggregate with Flink', () => {
  let cluster: Cluster
  let flink: FlinkCluster
  let load: CountedLoad
  beforeAll(async () => {
    const processes = [['ingest', 'archive', 'query'], ['aggregate'], ['aggregate'], ['aggregate']] as const
    cluster = await startCluster({ processes, config: { aggregator: 'flink' } })
    flink = await startFlink([JAR])
    load = createCountedLoad(cluster)
    const [first] = cluster.processes as [ClusterProcess]
    // Flink has a way of its own to Kafka.
    const target = ['--kafka', cluster.kafka.address, '--gateway', flink.gateway]
    const { stdout, stderr } = await first.run('flink', ...target)
    expect(`${stdout}${stderr}`).toContain('The job runs in Flink')
  })
  afterAll(async () => {
    await flink?.stop()
    await cluster?.remove()
  })

  /** Those that say how far the job is: who follows does. */
  async function followers(): Promise<ClusterProcess[]> {
    const told = await Promise.all(
      cluster.withRole('aggregate').map(async (process) => {
        const metrics = await fetch(`${process.url}/metrics`).then(
          (answer) => answer.text(),
          () => '',
        )
        return /^nowcast_lag_offsets\{stage="aggregate"/m.test(metrics) ? [process] : []
      }),
    )
    return told.flat()
  }

  async function follower(): Promise<ClusterProcess> {
    await until(true, async () => (await followers()).length > 0, TAKE_OVER_MS)
    return (await followers())[0] as ClusterProcess
  }

  /** Events all the time, before, during and after. */
  async function underLoad(fault: () => Promise<unknown>): Promise<void> {
    let isOver = false
    const sending = (async () => {
      while (!isOver) await load.send(BATCH)
    })()
    await load.send(BATCH)
    await fault()
    await load.send(BATCH)
    isOver = true
    await sending
    expect(await load.untilCounted()).toEqual([])
    expect(await load.audit()).toContain('clean')
    expect(cluster.processes.flatMap(({ ownEnds }) => ownEnds)).toEqual([])
  }

  test('one follows, the others stand by and are ready', async () => {
    await underLoad(async () => {})
    expect(await followers()).toHaveLength(1)
    for (const { url } of cluster.withRole('aggregate')) expect((await fetch(`${url}/readyz`)).status).toBe(200)
  })

  test('the one that follows is killed: another goes on, nothing is lost or doubled', () =>
    underLoad(async () => {
      const dead = await follower()
      await dead.die()
      const next = await follower()
      expect(next.name).not.toBe(dead.name)
      dead.join()
      await dead.ready()
    }))

  test('the one that follows is stopped while another takes over, and goes on: what it still writes changes nothing', () =>
    underLoad(async () => {
      const zombie = await follower()
      await zombie.pause(ZOMBIE_MS)
    }))

  test('two of three are killed: the last one carries all', () =>
    underLoad(async () => {
      const dead = await follower()
      const others = cluster.withRole('aggregate').filter((process) => process !== dead)
      await Promise.all([dead.die(), others[0]?.die()])
      expect((await follower()).name).toBe(others[1]?.name)
      for (const process of [dead, others[0] as ClusterProcess]) process.join()
    }))
})
