import type { QueuedEvent, Report } from '@nowcast/sdk-core'
import type { NodeQueue } from './node-queue.ts'
import type { ResolvedOptions } from './options.ts'

type Event = QueuedEvent<number>

/** A queue in memory, bounded in events and bytes. Events in flight are never dropped. */
export function createMemoryQueue(
  { queueEvents, queueBytes, queuePolicy }: ResolvedOptions,
  reportDropped: Report,
): NodeQueue {
  let held: Event[] = []
  let waiting: Event[] = []
  /** Where `waiting` begins: an array that loses its first element each time would be slow. */
  let head = 0
  let bytes = 0
  let lastKey = 0
  const count = () => held.length + waiting.length - head

  function dropOldest() {
    if (queuePolicy === 'reject' || head === waiting.length) return false
    bytes -= waiting[head]!.bytes
    skip(1)
    return true
  }

  function skip(events: number) {
    head += events
    if (head < 1024 || head * 2 < waiting.length) return
    waiting = waiting.slice(head)
    head = 0
  }

  return {
    push(json) {
      const size = Buffer.byteLength(json)
      while (count() >= queueEvents || bytes + size > queueBytes) {
        reportDropped('queue_full', 'the queue is full', 1)
        if (!dropOldest()) return false
      }
      bytes += size
      waiting.push({ key: ++lastKey, json, bytes: size })
      return true
    },
    first(maxEvents, maxBytes) {
      const heldBytes = held.reduce((sum, event) => sum + event.bytes + 1, 0)
      if (held[0] && held.length <= maxEvents && (heldBytes <= maxBytes || !held[1])) return held
      if (held[0]) {
        waiting = held.concat(waiting.slice(head))
        head = 0
      }
      let end = head
      for (let taken = 0; end < waiting.length && end - head < maxEvents; end++) {
        // One more for the comma.
        taken += waiting[end]!.bytes + 1
        if (taken > maxBytes && end > head) break
      }
      held = waiting.slice(head, end)
      skip(held.length)
      return held
    },
    remove(events) {
      // Cleared meanwhile, when it is another batch.
      if (events !== held) return
      for (const event of held) bytes -= event.bytes
      held = []
    },
    newest: () => (count() ? lastKey : undefined),
    clear() {
      const lost = count()
      held = []
      waiting = []
      head = bytes = 0
      return lost
    },
    close() {},
    isDurable: false,
  }
}
