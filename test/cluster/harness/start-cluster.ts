import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Role } from '../../../packages/server/src/config.ts'
import { freePorts } from '../../../scripts/loopback-ports.mjs'
import { knownProject, type ProjectKeys } from '../../servers/known-projects.ts'
import { type ClickHouseSetUp, startClickHouse, type TestClickHouse } from '../../servers/start-clickhouse.ts'
import { type KafkaServer, startKafka } from '../../servers/start-kafka.ts'
import { startRedis, type TestRedis } from '../../servers/start-redis.ts'
import { startTcpProxy } from '../../servers/tcp-proxy.ts'
import { type ClusterProcess, startClusterProcess } from './cluster-process.ts'

/** Kafka, Redis, ClickHouse's engine and processes of Nowcast, all real, on this machine. */
export interface Cluster {
  kafka: KafkaServer
  redis: TestRedis
  clickhouse: TestClickHouse
  project: ProjectKeys
  /** For files of its own. */
  folder: string
  processes: readonly ClusterProcess[]
  withRole(role: Role): ClusterProcess[]
  remove(): Promise<void>
}

export interface ClusterOptions {
  /** The roles of each process. @default two of each role, each in a process of its own */
  processes?: readonly (readonly Role[])[]
  /** Fields of the configuration of all. */
  config?: Record<string, unknown>
  kafka?: { partitions?: number; sessionTimeoutMs?: number; retentionMs?: number }
  /** Lines of the broker's server.properties. */
  kafkaProperties?: Record<string, string | number>
  /** Who the processes are to Redis. @default its default user, without a password */
  redisLogin?: { user: string; password: string }
  /** How ClickHouse and its user are set up. @default as it is by itself */
  clickhouse?: ClickHouseSetUp
  /** Lines of redis.conf. @default every write in the append-only file */
  redisSettings?: Record<string, string>
}

const EACH_TWICE: readonly (readonly Role[])[] = [
  ...[['ingest'], ['ingest'], ['aggregate'], ['aggregate']],
  ...[['archive'], ['archive'], ['query'], ['query']],
] as Role[][]

/** Starts everything; resolves when all processes serve. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const { processes: roles = EACH_TWICE, redisSettings = { appendonly: 'yes', appendfsync: 'always' } } = options
  const folder = await mkdtemp(join(tmpdir(), 'nowcast-cluster-'))
  const undo: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true, maxRetries: 10 })]
  const removal = async () => {
    for (const step of undo.reverse()) await step()
  }
  try {
    const proxyPorts = await freePorts(roles.length)
    const kafka = await startKafka({ proxies: proxyPorts, properties: options.kafkaProperties ?? {} })
    undo.push(() => kafka.stop())
    const redis = await startRedis({ settings: { 'maxmemory-policy': 'noeviction', ...redisSettings } })
    undo.push(() => redis.remove())
    const { redisLogin } = options
    if (redisLogin) {
      const { user, password } = redisLogin
      await redis.command('ACL', 'SETUSER', user, 'on', `>${password}`, '~*', '&*', '+@all')
    }
    const redisUser = redisLogin ? `${redisLogin.user}:${redisLogin.password}@` : ''
    const clickhouse = await startClickHouse(options.clickhouse)
    undo.push(() => clickhouse.remove())
    const project = knownProject('shop', {})
    const processes: ClusterProcess[] = []
    const counts = new Map<string, number>()
    for (const [i, own] of roles.entries()) {
      const ways = {
        kafka: await startTcpProxy(kafka.proxied[i] as { port: number }, proxyPorts[i]),
        redis: await startTcpProxy(redis),
        clickhouse: await startTcpProxy(clickhouse.target),
      }
      undo.push(() => Promise.all(Object.values(ways).map((way) => way.stop())))
      const kind = own.join('-')
      const number = (counts.get(kind) ?? 0) + 1
      counts.set(kind, number)
      const config = {
        projects: [project],
        logLevel: 'warn',
        ...options.config,
        kafka: { brokers: [ways.kafka.address], partitions: 4, sessionTimeoutMs: 6000, ...options.kafka },
        redis: `redis://${redisUser}${ways.redis.address}`,
        clickhouse: clickhouse.urlOn(ways.clickhouse.port),
      }
      const process = await startClusterProcess({ name: `${kind}-${number}`, roles: own, folder, ways, config })
      processes.push(process)
      undo.push(() => process.remove())
    }
    await Promise.all(processes.map((process) => process.ready()))
    const withRole = (role: Role) => processes.filter((process) => process.roles.includes(role))
    return { kafka, redis, clickhouse, project, folder, processes, withRole, remove: removal }
  } catch (error) {
    await removal()
    throw error
  }
}
