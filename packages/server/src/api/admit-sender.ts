import { NowcastError } from '../errors.ts'
import type { Connection, KeyOwner } from '../ingest/ingest.ts'
import type { Clock } from '../ports/clock.ts'
import { isLoopback } from './connection-of.ts'
import type { RateLimit } from './rate-limit.ts'

export interface AdmitSenderDependencies {
  ownerOf(key: string): KeyOwner | undefined
  rateLimit: RateLimit
  clock: Clock
}

/**
 * The owner of a key that may send now.
 * @throws NowcastError `missing_key`, `unknown_key`, `rate_limited`
 */
export type AdmitSender = (key: string | undefined, connection: Connection) => KeyOwner

/** Checks keys and rates of those who send. */
export function createAdmitSender({ ownerOf, rateLimit, clock }: AdmitSenderDependencies): AdmitSender {
  return (key, connection) => {
    if (!key) {
      throw new NowcastError('missing_key', 'a key is needed: Authorization: Bearer <key>, ?key= or "key" in the body')
    }
    const owner = ownerOf(key)
    if (!owner) throw new NowcastError('unknown_key', 'this key belongs to no project of this server')
    if (owner.kind === 'write' && !isLoopback(connection.ip)) {
      rateLimit.take(owner.project.id, connection.ip ?? '', clock.now())
    }
    return owner
  }
}
