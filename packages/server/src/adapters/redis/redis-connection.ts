import type { ConnectionOptions } from 'node:tls'
import { Cluster, Redis, type RedisOptions } from 'ioredis'
import { CLUSTER_GROUPS } from './hot-keys.ts'
import { parseRedisAddress, type RedisAddress } from './redis-address.ts'
import { messageOf, redisFailure } from './redis-failure.ts'

const MOST_RETRY_MS = 2000
/** A socket that is silent for so long after a command is given up, and so is its server. */
const SILENT_MS = 10_000

export interface RedisConnectionOptions {
  /** `redis://`, `rediss://`, `redis+sentinel://`, `rediss+sentinel://`; several hosts for a cluster or for Sentinel. */
  url: string
  /** How long `start` waits for the first connection, ms. @default 10000 */
  connectMs?: number
  /** Before every key. @default '' */
  keyPrefix?: string
  /** For `rediss://`: an authority of one's own, a client's certificate. @default what Node trusts */
  tls?: Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'servername'>
}

/** A connection to one Redis, to the master that Sentinel names, or to a cluster: told apart by itself. */
export interface RedisConnection {
  /** @throws NowcastError `hot_store_unavailable` that says what to do */
  start(): Promise<void>
  stop(): Promise<void>
  readonly client: Redis | Cluster
  /** 1, or those of a cluster. */
  readonly groups: number
  /** Why there is no connection, in the words of Redis or the system; undefined while there is one. */
  readonly lastError: string | undefined
  /** A connection of its own to the same place, for subscriptions. */
  duplicate(): Redis | Cluster
  onReady(callback: () => void): void
}

/** A connection that is open after `start`; it comes back by itself, and commands fail at once while it is away. */
export function createRedisConnection(options: RedisConnectionOptions): RedisConnection {
  const { url, connectMs = 10_000, tls = {}, keyPrefix = '' } = options
  const address = parseRedisAddress(url)
  const callbacks: (() => void)[] = []
  let client: Redis | Cluster | undefined
  let isCluster = false
  let lastError: string | undefined

  function watch(opened: Redis | Cluster): Redis | Cluster {
    opened.on('error', (error: Error) => {
      lastError = messageOf(error)
    })
    opened.on('ready', () => {
      lastError = undefined
      for (const callback of callbacks) callback()
    })
    return opened
  }

  async function open(): Promise<void> {
    const deadline = performance.now() + connectMs
    const single = await firstThatAnswers(deadline)
    isCluster = /^cluster_enabled:1/m.test(await single.info('cluster').catch(() => ''))
    if (!isCluster) return
    single.disconnect()
    const cluster = clusterClient(address, tls, keyPrefix)
    client = watch(cluster)
    await ready(cluster, deadline)
  }

  /** Of a cluster's addresses some may be down. */
  async function firstThatAnswers(deadline: number): Promise<Redis> {
    const addresses =
      address.sentinelMaster === undefined ? address.hosts.map((host) => ({ ...address, hosts: [host] })) : [address]
    for (const [i, each] of addresses.entries()) {
      const single = singleClient(each, tls, keyPrefix)
      client = watch(single)
      const left = deadline - performance.now()
      try {
        await ready(single, performance.now() + left / (addresses.length - i))
        return single
      } catch (error) {
        single.disconnect()
        if (i === addresses.length - 1) throw error
      }
    }
    throw new TypeError('an address without hosts')
  }

  async function ready(opened: Redis | Cluster, deadline: number): Promise<void> {
    // Its failure is told by the event.
    opened.connect().catch(() => {})
    while (opened.status !== 'ready') {
      const isHopeless = /WRONGPASS|NOAUTH|invalid password/.test(lastError ?? '')
      if (isHopeless || performance.now() > deadline) {
        throw redisFailure(new Error(lastError ?? `nothing answers at ${hostsOf(address)}`), 'connecting')
      }
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  return {
    async start() {
      try {
        await open()
      } catch (error) {
        client?.disconnect()
        throw redisFailure(error, 'connecting')
      }
    },
    async stop() {
      client?.disconnect()
    },
    get client() {
      if (!client) throw new TypeError('the connection to Redis was not started')
      return client
    },
    get groups() {
      return isCluster ? CLUSTER_GROUPS : 1
    },
    get lastError() {
      return lastError
    },
    duplicate: () => (isCluster ? clusterClient(address, tls, keyPrefix) : singleClient(address, tls, keyPrefix)),
    onReady: (callback) => callbacks.push(callback),
  }
}

const hostsOf = ({ hosts }: RedisAddress) => hosts.map(({ host, port }) => `${host}:${port}`).join(', ')

const retryMs = (times: number) => Math.min(50 * 2 ** Math.min(times, 10), MOST_RETRY_MS)

function commonOptions({ isTls, username, password }: RedisAddress, tls: ConnectionOptions): RedisOptions {
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(isTls ? { tls } : {}),
    protocol: 2,
    lazyConnect: true,
    connectionName: 'nowcast',
    connectTimeout: 5000,
    commandTimeout: SILENT_MS,
    // Who subscribes does it at each connection. The library's own attempt, when it times out, would end the process.
    autoResubscribe: false,
    socketTimeout: SILENT_MS,
    keepAlive: 10_000,
    // A master that became a replica: look for the new one.
    reconnectOnError: (error) => (error.message.startsWith('READONLY') ? 1 : false),
  }
}

function singleClient(address: RedisAddress, tls: ConnectionOptions, keyPrefix: string): Redis {
  const { hosts, db, isTls, sentinelMaster, sentinelUsername, sentinelPassword } = address
  const where: RedisOptions =
    sentinelMaster === undefined
      ? { ...hosts[0] }
      : {
          sentinels: hosts,
          name: sentinelMaster,
          sentinelRetryStrategy: retryMs,
          enableTLSForSentinelMode: isTls,
          ...(sentinelUsername === undefined ? {} : { sentinelUsername }),
          ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
        }
  const ours = { db, keyPrefix, enableOfflineQueue: false, retryStrategy: retryMs }
  return new Redis({ ...commonOptions(address, tls), ...where, ...ours })
}

function clusterClient(address: RedisAddress, tls: ConnectionOptions, keyPrefix: string): Cluster {
  return new Cluster(address.hosts, {
    redisOptions: commonOptions(address, tls),
    keyPrefix,
    lazyConnect: true,
    enableOfflineQueue: false,
    clusterRetryStrategy: retryMs,
    slotsRefreshTimeout: 2000,
    slotsRefreshInterval: 10_000,
    // Certificates hold names, not the addresses that they stand for.
    ...(address.isTls ? { dnsLookup: (host, callback) => callback(null, host) } : {}),
  })
}
