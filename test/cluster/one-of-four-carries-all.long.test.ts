import { readFile } from 'node:fs/promises'
import type { BreakdownAnswer } from '@nowcast/protocol'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readTokenOf } from '../servers/known-projects.ts'
import { ask, request } from '../servers/requests.ts'
import type { ClusterProcess } from './harness/cluster-process.ts'
import { type CountedLoad, createCountedLoad } from './harness/counted-load.ts'
import { type Cluster, startCluster } from './harness/start-cluster.ts'

const MIB = 1024 * 1024
const PARTITIONS = 4
const DUPLICATE_OFFSETS = 200_000
const CELLS = 50
const CATEGORIES = 200
/** Three members whose sessions end one after the other: each time the survivor lets go, and gets its share. */
const MOST_ASSIGNMENTS = 3 * 2

let cluster: Cluster
let load: CountedLoad
beforeAll(async () => {
  const processes = [
    ['ingest', 'query'],
    ['archive'],
    ...Array.from({ length: 4 }, () => ['aggregate'] as const),
  ] as const
  cluster = await startCluster({
    processes,
    kafka: { partitions: PARTITIONS },
    config: { duplicateOffsets: DUPLICATE_OFFSETS, cellsPerProject: CELLS },
  })
  load = createCountedLoad(cluster)
})
afterAll(() => cluster?.remove())

async function residentBytes({ pid }: ClusterProcess): Promise<number> {
  return Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024
}

async function assignmentsOf({ url }: ClusterProcess): Promise<number> {
  const { body } = await request<{ text: string }>(`${url}/metrics`)
  return Number(/nowcast_assignments_total{stage="aggregate"} (\d+)/.exec(body.text)?.[1])
}

test('three of four aggregators die: the last one carries all within its memory, without a loop of rebalances', async () => {
  // The ids of every partition are all that a set holds.
  for (let sent = 0; sent < DUPLICATE_OFFSETS * 1.1; sent += 20_000) await load.send(20_000)
  expect(await load.untilCounted()).toEqual([])
  const [survivor, ...others] = cluster.withRole('aggregate') as [ClusterProcess, ...ClusterProcess[]]
  const before = { bytes: await residentBytes(survivor), assignments: await assignmentsOf(survivor) }
  await Promise.all(others.map((process) => process.die()))
  await load.send(5000)
  expect(await load.untilCounted()).toEqual([])
  const assignments = await assignmentsOf(survivor)
  expect(assignments - before.assignments).toBeLessThanOrEqual(MOST_ASSIGNMENTS)

  // An offset of a set takes 12 bytes of id, 8 of time, and 4 to 16 of table; a set that grows is there twice. Of each
  // partition up to 11 MiB are fetched ahead, and the heap may hold as much again before it is swept.
  const set = 2 * (DUPLICATE_OFFSETS / PARTITIONS) * 36
  const bound = 2 * (PARTITIONS - 1) * (set + 11 * MIB)
  expect((await residentBytes(survivor)) - before.bytes).toBeLessThan(bound)

  await load.send(5000)
  expect(await load.untilCounted()).toEqual([])
  expect(await assignmentsOf(survivor)).toBe(assignments)
})

test('more cells than a project keeps apart are (other), the same live and in history', async () => {
  const from = Date.now()
  await load.send(5000, undefined, (number) => `category-${number % CATEGORIES}`)
  expect(await load.untilCounted()).toEqual([])
  const query = { kind: 'breakdown', metric: 'events', breakdown: 'category', limit: 1000 }
  const range = { from: from - 3_600_000, to: from + 3_600_000 }
  const asked = cluster.withRole('query')[0] as ClusterProcess
  const { rows } = await ask<BreakdownAnswer>(asked.url, readTokenOf(cluster.project), { ...query, range })
  const live = new Map(rows.map(({ key, v }) => [key, v]))
  const printed = await cluster.clickhouse.run(
    'SELECT cell_category, count() FROM nowcast.events GROUP BY cell_category FORMAT TSV',
  )
  const history = new Map(
    printed
      .split('\n')
      .map((line) => line.split('\t'))
      .map(([key, v]) => [key, Number(v)]),
  )
  expect(live.get('(other)')).toBeGreaterThan(1000)
  expect(live).toEqual(history)
  expect(await load.audit()).toContain('clean')
})
