/** What happens to events that do not fit: the oldest waiting one makes room, or the new one is refused. */
export type QueuePolicy = 'drop-oldest' | 'reject'

export interface EventQueueOptions {
  queueEvents: number
  queueBytes: number
  /** @default 'drop-oldest' */
  queuePolicy?: QueuePolicy
}

/** Events as JSON in the order they were made, bounded in number and bytes. */
export interface EventQueue {
  /** The number of events. */
  count(): number
  /** Adds an event; false when it is refused. The first `held` events are never dropped. */
  push(json: string, bytes: number, held: number): boolean
  /** The oldest events, as many as fit but at least one; `skip` leaves out the first ones. */
  first(maxEvents: number, maxBytes: number, skip?: number): string[]
  /** Takes events out. */
  remove(count: number): void
  /** Resolves when every event now in the queue has left it. */
  emptied(): Promise<void>
  /** Events lost to the bounds since the last call. */
  takeDropped(): number
}

/** Makes an empty queue. */
export function createEventQueue({ queueEvents, queueBytes, queuePolicy }: EventQueueOptions): EventQueue {
  const queue: { json: string; bytes: number }[] = []
  let waiters: { events: number; resolve(): void }[] = []
  let totalBytes = 0
  let dropped = 0

  function removeAt(index: number, count: number) {
    for (const { bytes } of queue.splice(index, count)) totalBytes -= bytes
    waiters = waiters.filter((waiter) => {
      if (waiter.events > index) waiter.events -= count
      if (waiter.events <= 0) waiter.resolve()
      return waiter.events > 0
    })
  }

  return {
    count: () => queue.length,
    push(json, bytes, held) {
      while (queue.length >= queueEvents || totalBytes + bytes > queueBytes) {
        dropped++
        if (queuePolicy === 'reject' || held >= queue.length) return false
        removeAt(held, 1)
      }
      totalBytes += bytes
      queue.push({ json, bytes })
      return true
    },
    first(maxEvents, maxBytes, skip = 0) {
      let end = skip
      let bytes = 0
      while (end < queue.length && end - skip < maxEvents) {
        // One more for the comma.
        bytes += queue[end]!.bytes + 1
        if (end > skip && bytes > maxBytes) break
        end++
      }
      return queue.slice(skip, end).map((event) => event.json)
    },
    remove: (count) => removeAt(0, count),
    emptied: () =>
      new Promise((resolve) => {
        if (queue.length) waiters.push({ events: queue.length, resolve })
        else resolve()
      }),
    takeDropped() {
      const count = dropped
      dropped = 0
      return count
    },
  }
}
