import type { Config } from '../config.ts'
import type { Nowcast } from '../create-nowcast.ts'

/**
 * Starts a server on the data directory for the time that `work` takes. Beside others that share Kafka, Redis and
 * ClickHouse it only looks, lest they share their partitions anew twice.
 */
export async function withNowcast<T>(config: Config, work: (nowcast: Nowcast) => Promise<T>): Promise<T> {
  // Most commands ask the server that runs, and need none of this.
  const { createNowcast } = await import('../create-nowcast.ts')
  const isShared = config.kafka !== undefined && config.redis !== undefined && config.clickhouse !== undefined
  const nowcast = await createNowcast(isShared ? { ...config, roles: ['query'] } : config)
  try {
    await nowcast.start()
    return await work(nowcast)
  } finally {
    await nowcast.stop()
  }
}
