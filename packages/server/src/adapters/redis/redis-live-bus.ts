import type { Cluster, Redis } from 'ioredis'
import type { LiveBus } from '../../ports/live-bus.ts'
import { createRedisConnection, type RedisConnectionOptions } from './redis-connection.ts'
import { redisFailure } from './redis-failure.ts'

const CHANNEL = 'nowcast:touched'
/** Changes within so short a time are one message, ms. */
const TOGETHER_MS = 50
const RETRY_MS = 2000

/** The bus between processes: a channel of Redis. Without Redis it says so and goes on trying. */
export function createRedisLiveBus(options: RedisConnectionOptions): LiveBus {
  const connection = createRedisConnection(options)
  const callbacks = new Set<() => void>()
  let subscriber: Redis | Cluster | undefined
  let problem: string | undefined = 'Redis was not reached yet'
  let sending: NodeJS.Timeout | undefined
  let retrying: NodeJS.Timeout | undefined
  let isStopped = false

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
      opened.on('message', () => {
        for (const callback of callbacks) callback()
      })
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
