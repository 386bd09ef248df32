import { Cluster, type Redis } from 'ioredis'
import { NowcastError } from '../../errors.ts'
import type { Finding } from '../../ports/finding.ts'
import { createRedisConnection, type RedisConnectionOptions } from './redis-connection.ts'
import { redisFailure } from './redis-failure.ts'

/** Oldest version that the adapter was made for. */
const OLDEST: readonly [number, number] = [6, 2]
/** Redis ends minutes by its own clock, others by theirs: so far apart nobody notices, ms. */
const MOST_SKEW_MS = 2000
const FULL = 0.9

/** Redis must not drop keys on its own: live figures would be wrong without anybody noticing. @throws NowcastError */
export async function requireNoEviction(client: Redis | Cluster): Promise<void> {
  for (const master of mastersOf(client)) {
    const check = checkEviction(await master.info('memory'))
    if (!check.ok) throw new NowcastError('hot_store_unavailable', `Redis: ${check.message}`)
  }
}

/** Looks at everything that matters to Nowcast in a Redis, or in each master of a cluster. Never throws. */
export async function checkRedis(options: RedisConnectionOptions): Promise<Finding[]> {
  try {
    const connection = createRedisConnection(options)
    try {
      await connection.start()
      const checks = [{ what: 'Redis connection', ok: true, message: describe(connection.groups) }]
      if (connection.client instanceof Cluster) checks.push(await checkCluster(connection.client))
      for (const master of mastersOf(connection.client)) checks.push(...(await checkServer(master)))
      return checks
    } finally {
      await connection.stop()
    }
  } catch (error) {
    return [{ what: 'Redis connection', ok: false, message: redisFailure(error, 'looking at it').message }]
  }
}

const describe = (groups: number) =>
  groups === 1 ? 'one server answers' : `a cluster answers; windows are spread over ${groups} slot groups`

/** The servers that take writes. */
const mastersOf = (client: Redis | Cluster): Redis[] => (client instanceof Cluster ? client.nodes('master') : [client])

const fieldOf = (info: string, name: string) => new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(info)?.[1]

async function checkServer(server: Redis): Promise<Finding[]> {
  const { host, port } = server.options
  const at = (check: Finding): Finding => ({ ...check, what: `${check.what} (${host}:${port})` })
  const [about, memory, persistence, replication] = await Promise.all(
    ['server', 'memory', 'persistence', 'replication'].map((section) => server.info(section)),
  )
  const checks = [checkVersion(about as string), checkRole(replication as string), checkEviction(memory as string)]
  checks.push(checkMemory(memory as string), checkPersistence(persistence as string), await checkClock(server))
  return checks.map(at)
}

function checkVersion(info: string): Finding {
  const version = fieldOf(info, 'redis_version') ?? 'unknown'
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const ok = major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])
  return { what: 'Redis version', ok, message: ok ? version : `${version}: upgrade to ${OLDEST.join('.')} or newer` }
}

function checkRole(info: string): Finding {
  const role = fieldOf(info, 'role') ?? 'unknown'
  const replicas = fieldOf(info, 'connected_slaves') ?? '0'
  const ok = role === 'master'
  const message = ok
    ? `takes writes, ${replicas} replicas`
    : 'a replica that takes no writes: give the address of the master, or of Sentinel (redis+sentinel://…)'
  return { what: 'Redis role', ok, message }
}

function checkEviction(info: string): Finding {
  const policy = fieldOf(info, 'maxmemory_policy')
  const ok = policy === undefined || policy === 'noeviction'
  const message = ok
    ? `maxmemory-policy ${policy ?? 'is not told'}`
    : `it may drop keys when its memory is full (maxmemory-policy ${policy}), and live figures would be wrong: run CONFIG SET maxmemory-policy noeviction, and put the same into redis.conf`
  return { what: 'Redis eviction', ok, message }
}

function checkMemory(info: string): Finding {
  const used = Number(fieldOf(info, 'used_memory') ?? 0)
  const most = Number(fieldOf(info, 'maxmemory') ?? 0)
  const mib = (bytes: number) => `${Math.round(bytes / 1024 ** 2)} MiB`
  const ok = most === 0 || used < most * FULL
  const message = most === 0 ? `${mib(used)} used, no limit set` : `${mib(used)} of ${mib(most)} used`
  return { what: 'Redis memory', ok, message: ok ? message : `${message}: raise maxmemory, or writes will be refused` }
}

function checkPersistence(info: string): Finding {
  const isAppending = fieldOf(info, 'aof_enabled') === '1'
  const hasFailed =
    fieldOf(info, 'rdb_last_bgsave_status') === 'err' || fieldOf(info, 'aof_last_write_status') === 'err'
  if (hasFailed) {
    return { what: 'Redis persistence', ok: false, message: 'its last attempt to save failed: see its log' }
  }
  const message = isAppending
    ? 'append-only file'
    : 'snapshots at most: what is lost in a crash is counted again from the log; with "appendonly yes" less has to be'
  return { what: 'Redis persistence', ok: true, message }
}

async function checkClock(server: Redis): Promise<Finding> {
  const before = Date.now()
  const [seconds, micros] = await server.time()
  const skew = Math.round(Number(seconds) * 1000 + Number(micros) / 1000 - (before + Date.now()) / 2)
  const ok = Math.abs(skew) <= MOST_SKEW_MS
  const message = `${skew} ms ${skew < 0 ? 'behind' : 'ahead of'} this machine`
  return { what: 'Redis clock', ok, message: ok ? message : `${message}: synchronise both with NTP` }
}

async function checkCluster(cluster: Cluster): Promise<Finding> {
  const info = (await cluster.cluster('INFO')) as string
  const ok = fieldOf(info, 'cluster_state') === 'ok'
  const slots = fieldOf(info, 'cluster_slots_ok')
  const message = ok ? `all ${slots} slots are served` : `only ${slots} of 16384 slots are served: see CLUSTER NODES`
  return { what: 'Redis Cluster', ok, message }
}
