import { type EventQueue, fitting, msOfUuid, type Report } from '@nowcast/sdk-core'
import type { TextStorage } from './storage.ts'

/**
 * Events tracked so long before this page are not sent: they may have arrived, and the server knows ids for a day at
 * most. Sent again later they would be counted twice.
 */
const KEPT_MS = 20 * 3_600_000

/** Characters of events that wait at most: a fraction of what `localStorage` holds for all of a site's scripts. */
const QUEUE_CHARS = 512 * 1024

export interface StoredQueue extends EventQueue<string> {
  /** Keeps an event, given as JSON; it is in the storage before this returns. */
  push(id: string, json: string): void
}

/**
 * The queue of one write key that all tabs of a site share: one entry in the storage for each event, under the event's
 * id. No entry is ever changed, so tabs cannot harm each other's; ids grow with time, so their order is the events'.
 */
export function createStoredQueue(
  storage: TextStorage,
  writeKey: string,
  queueEvents: number,
  report: Report,
): StoredQueue {
  const prefix = `nowcast.queue.${writeKey}.`
  // Once: a clock that is set right in the middle of a page makes none of its events old.
  const oldestMs = Date.now() - KEPT_MS
  const encoder = new TextEncoder()
  let held = ''
  let freshChars = 0
  const keys = () =>
    storage
      .keys(prefix)
      .map((key) => key.slice(prefix.length))
      .sort()
  const remove = (key: string) => storage.set(prefix + key)

  /** Every event that waits, oldest first; drops those beyond the bounds. */
  function read() {
    freshChars = 0
    const lost = { expired: 0, queue_full: 0 }
    const all = keys().map((key) => ({ key, json: storage.get(prefix + key) || '' }))
    let count = all.length
    let chars = all.reduce((sum, { json }) => sum + json.length, 0)
    const kept = all.filter(({ key, json }) => {
      const isExpired = msOfUuid(key) < oldestMs
      const isKept = key <= held || !(isExpired || count > queueEvents || chars > QUEUE_CHARS)
      if (!isKept) {
        count--
        chars -= json.length
        lost[isExpired ? 'expired' : 'queue_full']++
        remove(key)
      }
      // Without a text: another tab has just taken it out.
      return isKept && json
    })
    for (const code of ['expired', 'queue_full'] as const)
      if (lost[code]) report(code, `${lost[code]} events dropped`, lost[code])
    return kept
  }

  return {
    push(id, json) {
      storage.set(prefix + id, json)
      freshChars += json.length
      // Looking at every entry each time would be slow, and never would be without bounds.
      if (freshChars > QUEUE_CHARS) read()
    },
    first(maxEvents, maxBytes, after = '') {
      const events = read()
        .filter(({ key }) => key > after)
        .slice(0, maxEvents)
        .map((event) => ({ ...event, bytes: encoder.encode(event.json).length }))
      const batch = fitting(events, maxEvents, maxBytes)
      if (!after) held = batch[batch.length - 1]?.key || ''
      return batch
    },
    remove(events) {
      for (const { key } of events) remove(key)
      held = ''
    },
    newest: () => keys().pop(),
    clear() {
      const all = keys()
      all.forEach(remove)
      return all.length
    },
  }
}
