import type { TextStorage } from './storage.ts'

/**
 * Events saved longer ago are not sent: they may have arrived, and the server knows ids for a day at most. Sent again
 * later they would be counted twice.
 */
const KEPT_MS = 12 * 3_600_000

/** The events of this page that are not yet answered, kept for the next page. */
export interface SavedQueue {
  /** Takes over what earlier pages left. */
  adopt(): string[]
  save(events: string[]): void
}

/**
 * Opens the saved queues of one write key. Each page saves under a key of its own, and takes over every other's: from a
 * tab that is still open it gets events which both will send, and ids make that harmless.
 */
export function openSavedQueue(storage: TextStorage, writeKey: string, pageId: string): SavedQueue {
  const prefix = `nowcast.queue.${writeKey}.`
  return {
    adopt() {
      const events = new Set<string>()
      for (const key of storage
        .keys()
        .filter((key) => key.startsWith(prefix))
        .sort()) {
        // Page ids grow with time, so the oldest page's events come first.
        const [savedAt, ...saved] = (storage.get(key) || '').split('\n')
        if (Date.now() - +savedAt! < KEPT_MS) for (const event of saved) if (isJson(event)) events.add(event)
        storage.set(key, undefined)
      }
      return [...events]
    },
    save: (events) => storage.set(prefix + pageId, events.length ? [Date.now(), ...events].join('\n') : undefined),
  }
}

/** One damaged event would make the server refuse its whole batch. */
function isJson(text: string) {
  try {
    return !!JSON.parse(text)
  } catch {
    return false
  }
}
