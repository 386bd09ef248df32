import type { EventInput } from '@nowcast/protocol'
import type { TextStorage } from './storage.ts'

/** A session ends after so long without an event. */
const SESSION_QUIET_MS = 30 * 60_000

const ANONYMOUS_ID = 'nowcast.anonymousId'
const USER_ID = 'nowcast.userId'
const SESSION = 'nowcast.session'
const OPTED_OUT = 'nowcast.optedOut'

/** Who the events are about, shared by all tabs of a site. */
export interface Identity {
  /** The ids for an event of this moment; renews the session. */
  ids(): Pick<EventInput, 'anonymousId' | 'userId' | 'sessionId'>
  identify(userId: string): void
  /** Forgets user, visitor and session. */
  reset(): void
  setOptedOut(isOptedOut: boolean): void
  isOptedOut(): boolean
}

/** Reads who the visitor is from `storage`; nobody is made before the first event. */
export function createIdentity(storage: TextStorage, createId: () => string): Identity {
  const getOrCreate = (key: string) => {
    const id = storage.get(key) || createId()
    storage.set(key, id)
    return id
  }
  const reset = () => {
    for (const key of [ANONYMOUS_ID, USER_ID, SESSION]) storage.set(key, undefined)
  }
  return {
    ids() {
      const now = Date.now()
      const [id, lastAt] = (storage.get(SESSION) || '').split(' ')
      const sessionId = id && now - +lastAt! < SESSION_QUIET_MS ? id : createId()
      storage.set(SESSION, `${sessionId} ${now}`)
      return { anonymousId: getOrCreate(ANONYMOUS_ID), userId: storage.get(USER_ID), sessionId }
    },
    identify: (userId) => storage.set(USER_ID, userId),
    reset,
    setOptedOut(isOptedOut) {
      if (isOptedOut) reset()
      storage.set(OPTED_OUT, isOptedOut ? '1' : undefined)
    },
    isOptedOut: () => !!storage.get(OPTED_OUT),
  }
}
