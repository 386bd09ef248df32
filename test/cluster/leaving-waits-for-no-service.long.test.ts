import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ClusterProcess, Ways } from './harness/cluster-process.ts'
import { type CountedLoad, createCountedLoad } from './harness/counted-load.ts'
import { type Cluster, startCluster } from './harness/start-cluster.ts'

/** On a busy machine; the promise is 2 s, and a command to a silent Redis ends after 10. */
const MOST_MS = 6000
/** Until a write has begun that nobody answers. */
const UNDER_WAY_MS = 800

let cluster: Cluster
let load: CountedLoad
beforeAll(async () => {
  const processes = [['ingest'], ['query'], ['ingest'], ['aggregate'], ['archive'], ['query']] as const
  cluster = await startCluster({ processes })
  load = createCountedLoad(cluster)
  await load.send(500)
  expect(await load.untilCounted()).toEqual([])
})
afterAll(() => cluster?.remove())

const silences: [role: 'ingest' | 'aggregate' | 'archive' | 'query', service: keyof Ways][] = [
  ['ingest', 'kafka'],
  ['aggregate', 'kafka'],
  ['aggregate', 'redis'],
  ['aggregate', 'clickhouse'],
  ['archive', 'kafka'],
  ['archive', 'clickhouse'],
  ['query', 'redis'],
  ['query', 'clickhouse'],
]

test.each(silences)(
  '%s leaves while %s is silent, and everything is counted',
  async (role, service) => {
    const process = cluster.withRole(role).at(-1) as ClusterProcess
    process.ways[service].mode('hold')
    await load.send(200)
    await sleep(UNDER_WAY_MS)
    const { ms } = await process.leave()
    process.ways[service].reset()
    process.ways[service].mode('pass')
    process.join()
    await process.ready()
    expect(ms).toBeLessThan(MOST_MS)
    expect(await load.untilCounted()).toEqual([])
  },
  180_000,
)
