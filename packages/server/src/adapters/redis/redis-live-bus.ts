import type { Cluster, Redis } from 'ioredis'
import type { LiveBus } from '../../ports/live-bus.ts'
import { createRedisConnection, type RedisConnectionOptions } from './redis-connection.ts'
import { redisFailure } from './redis-failure.ts'

const CHANNEL = 'nowcast:touched'
/** Changes within so short a time are one message, ms. */
const TOGETHER_MS = 50
const RETRY_MS = 2000
/** Every process says so often that it is there. */
const ALIVE_MS = 5000
const ALIVE = 'alive'

export interface RedisLiveBusOptions extends RedisConnectionOptions {
  /** Without any message for so long, not even its own, the connection is taken for dead, ms. @default 15000 */
  silentMs?: number
}

/** The bus between processes: a channel of Redis. Without Redis it says so and goes on trying. */
export function createRedisLiveBus(options: RedisLiveBusOptions): LiveBus {
  const { silentMs = 3 * ALIVE_MS } = options
  const connection = createRedisConnection(options)
  const callbacks = new Set<() => void>()
  let subscriber: Redis | Cluster | undefined
  let problem: string | undefined = 'Redis was not reached yet'
  let sending: NodeJS.Timeout | undefined
  let retrying: NodeJS.Timeout | undefined
  let alive: NodeJS.Timeout | undefined
  let heardAt = 0
  let isStopped = false

  /** A connection that neither speaks nor ends is closed, and made anew. */
  function checkSilence(opened: Redis | Cluster): void {
    connection.client.publish(CHANNEL, ALIVE).catch(() => {})
    if (performance.now() - heardAt < silentMs) return
    problem ??= redisFailure(new Error(`no message came for ${silentMs / 1000} s`), 'listening for changes').message
    heardAt = performance.now()
    opened.disconnect(true)
  }

  async function open(): Promise<void> {
    try {
      await connection.start()
      if (isStopped) return connection.stop()
      const opened = connection.duplicate()
      subscriber = opened
      opened.on('error', (error: Error) => {
        problem = redisFailure(error, 'listening for changes').message
      })
      // Also after each reconnect: what was subscribed before may not have been taken over.
      opened.on('ready', () => void subscribe(opened))
      opened.on('message', (_channel, message) => {
        heardAt = performance.now()
        if (message === ALIVE) return
        for (const callback of callbacks) callback()
      })
      heardAt = performance.now()
      alive = setInterval(() => checkSilence(opened), Math.min(ALIVE_MS, silentMs / 3))
      alive.unref()
      await opened.connect().catch(() => {})
    } catch (error) {
      problem = redisFailure(error, 'listening for changes').message
      if (!isStopped) retrying = setTimeout(() => void open(), RETRY_MS)
    }
  }

  async function subscribe(opened: Redis | Cluster): Promise<void> {
    try {
      await opened.subscribe(CHANNEL)
      problem = undefined
      heardAt = performance.now()
      // What was missed meanwhile.
      for (const callback of callbacks) callback()
    } catch (error) {
      problem = redisFailure(error, 'listening for changes').message
    }
  }

  return {
    get problem() {
      return problem
    },
    start: open,
    async stop() {
      isStopped = true
      clearTimeout(sending)
      clearTimeout(retrying)
      clearInterval(alive)
      callbacks.clear()
      subscriber?.disconnect()
      await connection.stop()
    },
    publish() {
      sending ??= setTimeout(() => {
        sending = undefined
        if (subscriber) connection.client.publish(CHANNEL, '').catch(() => {})
      }, TOGETHER_MS)
    },
    onTouched(callback) {
      callbacks.add(callback)
      return () => callbacks.delete(callback)
    },
  }
}
