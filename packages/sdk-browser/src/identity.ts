import type { EventInput } from '@nowcast/protocol'
import type { TextStorage } from './storage.ts'

/** A session ends after so long without an event; neither midnight nor a campaign ends it. */
const SESSION_QUIET_MS = 30 * 60_000

const ANONYMOUS_ID = 'nowcast.anonymousId'
const USER_ID = 'nowcast.userId'
const SESSION = 'nowcast.session'

/** Who the events are about, shared by all tabs of a site. */
export interface Identity {
  /** The ids for an event of this moment; renews the session. */
  ids(): Pick<EventInput, 'anonymousId' | 'userId' | 'sessionId'>
  identify(userId: string): void
  /** Forgets user, visitor and session. */
  reset(): void
}

/** Reads who the visitor is from `storage`; nobody is made before the first event. */
export function createIdentity(storage: TextStorage, createId: () => string): Identity {
  return {
    ids() {
      const now = Date.now()
      const [id, lastAt] = (storage.get(SESSION) || '').split(' ')
      const sessionId = id && now - +lastAt! < SESSION_QUIET_MS ? id : createId()
      storage.set(SESSION, `${sessionId} ${now}`)
      const anonymousId = storage.get(ANONYMOUS_ID) || createId()
      storage.set(ANONYMOUS_ID, anonymousId)
      return { anonymousId, userId: storage.get(USER_ID), sessionId }
    },
    identify: (userId) => storage.set(USER_ID, `${userId}`),
    reset() {
      for (const key of [ANONYMOUS_ID, USER_ID, SESSION]) storage.set(key)
    },
  }
}
