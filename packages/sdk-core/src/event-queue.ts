/** One event that waits to be answered. Keys grow: a later event's key is greater. */
export interface QueuedEvent<K = string | number> {
  key: K
  json: string
  /** UTF-8 length of `json`. */
  bytes: number
}

/** Events in the order they were made, kept until they are answered. */
export interface EventQueue<K = string | number> {
  /**
   * The oldest events, as many as fit but at least one; only those after `key`, if one is given. What is read for a
   * request is held: no bound drops it.
   */
  first(maxEvents: number, maxBytes: number, after?: K): QueuedEvent<K>[]
  /** Takes out events that have been answered. */
  remove(events: QueuedEvent<K>[]): void
  /** The key of the newest event; undefined when there is none. */
  newest(): K | undefined
  /** Takes every event out, and tells how many there were. */
  clear(): number
}

/** The first of `events` that fit into one request, but at least one. */
export function fitting<E extends { bytes: number }>(events: E[], maxEvents: number, maxBytes: number): E[] {
  let end = 0
  // One more for the comma.
  for (let bytes = 0; end < Math.min(events.length, maxEvents); end++) {
    bytes += events[end]!.bytes + 1
    if (end && bytes > maxBytes) break
  }
  return events.slice(0, end)
}
