import { Cluster, type Redis } from 'ioredis'
import { NowcastError } from '../../errors.ts'

/** The servers that take writes. */
const mastersOf = (client: Redis | Cluster): Redis[] => (client instanceof Cluster ? client.nodes('master') : [client])

const fieldOf = (info: string, name: string) => new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(info)?.[1]

/** Redis must not drop keys on its own: live figures would be wrong without anybody noticing. @throws NowcastError */
export async function requireNoEviction(client: Redis | Cluster): Promise<void> {
  for (const master of mastersOf(client)) {
    const policy = fieldOf(await master.info('memory'), 'maxmemory_policy')
    if (policy === undefined || policy === 'noeviction') continue
    throw new NowcastError(
      'hot_store_unavailable',
      `Redis may drop keys when its memory is full (maxmemory-policy is ${policy}), and live figures would be wrong: run CONFIG SET maxmemory-policy noeviction and put the same into redis.conf`,
    )
  }
}
