import { setTimeout as sleep } from 'node:timers/promises'
import { ROLES } from '../../../packages/server/src/config.ts'
import type { SeededRandom } from '../../faults/harness/seeded-random.ts'
import type { ClusterProcess } from './cluster-process.ts'
import type { Cluster } from './start-cluster.ts'

/** Longer than the session time-out of the groups: partitions go to others meanwhile. */
const ZOMBIE_MS = [8000, 12_000] as const
/** How long what is shared stays away. */
const AWAY_MS = [500, 4000] as const
const CUT_MS = [1000, 8000] as const
/** Two consumers share their partitions anew within this time after one has left. */
export const HAND_OVER_MS = 2000

export interface ClusterFault {
  /** Faults of one kind have one name. */
  name: string
  inject(): Promise<void>
}

/** Every kind of fault the cluster must survive. @param left told who stopped gracefully and how long it took, ms */
export function clusterFaults(
  cluster: Cluster,
  random: SeededRandom,
  left: (process: ClusterProcess, ms: number) => void,
): ClusterFault[] {
  const { kafka, redis, clickhouse } = cluster
  const span = ([from, to]: readonly [number, number]) => random.between(from, to)
  const one = (role: (typeof ROLES)[number]) => random.pick(cluster.withRole(role))

  const ofRoles = ROLES.flatMap((role): ClusterFault[] => [
    {
      name: `kill -9 of ${role}`,
      async inject() {
        const process = one(role)
        await process.kill()
        await process.ready()
      },
    },
    {
      name: `${role} stopped for longer than its session, then continued`,
      inject: () => one(role).pause(span(ZOMBIE_MS)),
    },
    {
      name: `${role} leaves and comes back`,
      async inject() {
        const process = one(role)
        left(process, (await process.leave()).ms)
        await sleep(random.between(0, 3000))
        process.join()
        await process.ready()
      },
    },
  ])
  const ofServices: ClusterFault[] = [
    {
      name: 'kill -9 of Kafka',
      async inject() {
        await kafka.kill()
        await sleep(span(AWAY_MS))
        await kafka.start()
      },
    },
    {
      name: 'kill -9 of Redis',
      async inject() {
        await redis.kill()
        await sleep(span(AWAY_MS))
        await redis.start()
      },
    },
    {
      name: 'FLUSHALL of Redis',
      async inject() {
        await redis.command('FLUSHALL')
      },
    },
    {
      name: 'kill -9 of ClickHouse',
      async inject() {
        await clickhouse.kill()
        await sleep(span(AWAY_MS))
        await clickhouse.start()
      },
    },
  ]
  const ofWays = (['kafka', 'redis', 'clickhouse'] as const).flatMap((service): ClusterFault[] => {
    const way = () => random.pick(cluster.processes.filter((process) => uses(process, service))).ways[service]
    return [
      {
        name: `way to ${service} cut`,
        async inject() {
          const cut = way()
          cut.mode('hold')
          await sleep(span(CUT_MS))
          if (random.chance(0.5)) cut.reset()
          cut.mode('pass')
        },
      },
      {
        name: `way to ${service} reset`,
        async inject() {
          way().reset()
        },
      },
      {
        name: `way to ${service} slow`,
        async inject() {
          const slow = way()
          slow.delay(random.between(50, 400))
          await sleep(span(CUT_MS))
          slow.delay(0)
        },
      },
    ]
  })
  return [...ofRoles, ...ofServices, ...ofWays]
}

function uses({ roles }: ClusterProcess, service: 'kafka' | 'redis' | 'clickhouse'): boolean {
  const needs = {
    kafka: ['ingest', 'aggregate', 'archive'],
    redis: ['aggregate', 'query'],
    clickhouse: ['aggregate', 'archive', 'query'],
  }[service]
  return roles.some((role) => needs.includes(role))
}
