import type { EventInput, IngestAnswer, RejectedEvent } from '@nowcast/protocol'
import { backoffMs, retryAfterMs } from './backoff.ts'
import { later, type Report } from './delivery-error.ts'
import type { EventQueue, QueuedEvent } from './event-queue.ts'

/** What a server answered to one batch. */
export interface DeliveryAnswer {
  /** 0 when there was no answer. */
  status: number
  /** The header `Retry-After`. */
  retryAfter?: string | null
  body: string
  /** Why there was no answer. */
  cause?: unknown
}

export interface DeliveryOptions<K> {
  queue: EventQueue<K>
  /** Sends one batch of events, and rejects when there is no answer. */
  send(events: QueuedEvent<K>[]): Promise<DeliveryAnswer>
  report: Report
  /** How long the first event of a batch waits for others. */
  batchMs: number
  /** So many events do not wait. */
  batchEvents: number
  /** Events of one request at most. */
  requestEvents: number
  /** Bytes of one request's events at most. */
  requestBytes: number
  retryMinMs: number
  retryMaxMs: number
  onRejected?(rejection: RejectedEvent, event: EventInput): void
}

export interface Delivery {
  /** Tells that an event has been queued. */
  wake(): void
  /** Ends the wait before the next attempt, unless the server asked for it. */
  hurry(): void
  /** Sends now; resolves when every event queued before has been answered or dropped. */
  flush(): Promise<void>
  /** Forgets every event, also those in flight, and tells how many. */
  clear(): number
}

/**
 * The loop that empties a queue: one batch in flight, always the oldest events, again until they are answered. Whoever
 * else sends from the same queue begins at its oldest event too, so first arrivals are in order whoever sends.
 */
export function createDelivery<K extends string | number>(options: DeliveryOptions<K>): Delivery {
  const { queue, report, batchMs, batchEvents, requestEvents, requestBytes, onRejected } = options
  /** Events of the next batch at most; less than `requestEvents` after a 413. */
  let limit = requestEvents
  let attempt = 0
  /** Events queued since the last batch was read. */
  let fresh = 0
  let isDraining = false
  let isScheduled = false
  let clears = 0
  let flushes: { upTo: K | undefined; resolve(): void }[] = []
  let hurry = (_isForced?: boolean) => {}

  function schedule() {
    if (isScheduled) return
    isScheduled = true
    startTimer(() => {
      isScheduled = false
      void drain()
    }, batchMs)
  }

  function next() {
    fresh = 0
    const batch = queue.first(limit, requestBytes)
    flushes = flushes.filter(({ upTo, resolve }) => {
      const isWaiting = batch[0] && upTo !== undefined && batch[0].key <= upTo
      if (!isWaiting) resolve()
      return isWaiting
    })
    return batch
  }

  async function drain() {
    if (isDraining) return
    isDraining = true
    let batch = next()
    while (batch[0]) {
      const before = clears
      const answer = await options.send(batch).catch((cause: unknown) => ({ status: 0, body: '', cause }))
      let came = batchEvents
      // After a clear the answer is about events that nobody waits for.
      if (clears === before && isRetryable(answer.status)) await retryLater(answer, batch.length)
      else if (clears === before && !settle(batch, answer)) limit = batch.length >> 1
      else came = fresh
      batch = next()
      // What has come meanwhile waits for others, as at the beginning.
      if (!flushes[0] && came < batchEvents && batch.length <= came) break
    }
    isDraining = false
    if (batch[0]) schedule()
  }

  /** Takes out a batch that has been answered; false when it has to be sent in halves. */
  function settle(batch: QueuedEvent<K>[], { status, body }: DeliveryAnswer) {
    const rejected = rejectionsOf(body)
    const isRefused = status !== 202 && !rejected[0]
    // A 400 without reasons is about the whole body: halves find the event that cannot be read.
    if (isRefused && batch[1] && (status === 413 || status === 400)) return false
    if (isRefused) report('refused', `status ${status}: ${body.slice(0, 300)}`, batch.length)
    for (const rejection of rejected) later(() => onRejected?.(rejection, JSON.parse(batch[rejection.index]!.json)))
    queue.remove(batch)
    attempt = 0
    limit = Math.min(requestEvents, limit + 10)
    return true
  }

  async function retryLater({ status, retryAfter, cause }: DeliveryAnswer, count: number) {
    report(
      status ? 'unavailable' : 'unreachable',
      `${status || 'no answer'}: ${count} events will be sent again`,
      0,
      cause,
    )
    const askedMs = retryAfterMs(retryAfter) || 0
    // Jitter on top keeps clients that were told the same from coming back together.
    const waitMs = askedMs + backoffMs(askedMs ? 0 : attempt++, options.retryMinMs, options.retryMaxMs)
    await new Promise<void>((resolve) => {
      startTimer(resolve, waitMs)
      hurry = (isForced) => {
        if (askedMs && !isForced) return
        attempt = 0
        resolve()
      }
    })
  }

  return {
    wake() {
      // Not at once: what is queued in the same go belongs to the same batch.
      if (++fresh === batchEvents) later(drain)
      else schedule()
    },
    hurry: () => hurry(),
    flush: () =>
      new Promise((resolve) => {
        flushes.push({ upTo: queue.newest(), resolve })
        hurry()
        void drain()
      }),
    clear() {
      clears++
      for (const { resolve } of flushes) resolve()
      flushes = []
      hurry(true)
      return queue.clear()
    },
  }
}

/** Everything but a 202 and a refusal leaves open whether the batch was stored; ids make it harmless to ask again. */
const isRetryable = (status: number) =>
  status !== 202 && (status < 400 || status === 408 || status === 429 || status >= 500)

function rejectionsOf(body: string): RejectedEvent[] {
  try {
    return (JSON.parse(body) as IngestAnswer).rejected || []
  } catch {
    return []
  }
}

/** A timer that does not keep a Node process alive. */
function startTimer(run: () => void, ms: number) {
  setTimeout(run, ms).unref?.()
}
