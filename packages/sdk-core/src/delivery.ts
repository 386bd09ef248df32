import type { EventInput, IngestAnswer, RejectedEvent } from '@nowcast/protocol'
import { backoffMs, retryAfterMs } from './backoff.ts'
import { type DeliveryError, type DeliveryErrorCode, deliveryError } from './delivery-error.ts'
import { createEventQueue, type EventQueueOptions } from './event-queue.ts'

/** What a server answered to one batch. */
export interface DeliveryAnswer {
  status: number
  /** The header `Retry-After`. */
  retryAfter?: string | null
  body: string
}

export interface DeliveryOptions extends EventQueueOptions {
  /** Sends one batch of events, each as JSON, and rejects when there is no answer. `attempt` counts from 0. */
  send(events: string[], attempt: number): Promise<DeliveryAnswer>
  /** UTF-8 length of a text. */
  byteLength(text: string): number
  /** How long the first event of a batch waits for others. */
  batchMs: number
  batchEvents: number
  batchBytes: number
  retryMinMs: number
  retryMaxMs: number
  onError?(error: DeliveryError): void
  onRejected?(rejection: RejectedEvent, event: EventInput): void
  /** The events not yet answered have changed; called at most once per `batchMs` and answer. */
  onChange?(): void
}

export interface Delivery {
  /** Queues one event, given as JSON; false when it is refused. */
  push(event: string): boolean
  /** Sends now; resolves when every event queued before has been answered or dropped. */
  flush(): Promise<void>
  /** The oldest events not yet answered, as many as fit; `skip` leaves out the first ones. */
  first(maxEvents: number, maxBytes: number, skip?: number): string[]
  /** Forgets every event, also those in flight, and tells how many. */
  clear(): number
  /** Tells `onError` of a failure. */
  report(code: DeliveryErrorCode, message: string, lostEvents: number, cause?: unknown): void
}

/**
 * A queue and the loop that empties it: one batch in flight, in order, the same batch again until it is answered.
 * Events stay in the queue until then.
 */
export function createDelivery(options: DeliveryOptions): Delivery {
  const { batchMs, batchEvents, batchBytes, retryMinMs, retryMaxMs, onError, onRejected, onChange } = options
  const queue = createEventQueue(options)
  /** Events at the head of the queue that are in flight, or wait to be sent again as the same batch. */
  let taken = 0
  /** Events of the next batch at most; less than `batchEvents` after a 413. */
  let limit = batchEvents
  let attempt = 0
  let flushing = 0
  let isDraining = false
  let isScheduled = false
  /** Ends the wait before the next attempt, unless the server asked for it and it is not forced. */
  let hurry: ((isForced?: boolean) => void) | undefined

  const report: Delivery['report'] = (code, message, lostEvents, cause) =>
    later(() => onError?.(deliveryError(code, message, lostEvents, cause)))

  function push(json: string) {
    const bytes = options.byteLength(json)
    // One that fits into no batch would stop all that wait behind it.
    if (bytes > batchBytes) {
      report('invalid_event', `an event of ${bytes} bytes is over the limit of ${batchBytes}`, 1)
      return false
    }
    const isQueued = queue.push(json, bytes, taken)
    if (!isDraining && queue.count() >= batchEvents) void drain()
    else schedule()
    return isQueued
  }

  function schedule() {
    if (isScheduled) return
    isScheduled = true
    startTimer(() => {
      isScheduled = false
      const dropped = queue.takeDropped()
      if (dropped) report('queue_full', `the queue is full: ${dropped} events dropped`, dropped)
      onChange?.()
      void drain()
    }, batchMs)
  }

  async function drain() {
    if (isDraining) return
    isDraining = true
    while (queue.count()) {
      const batch = queue.first(taken || limit, batchBytes)
      taken = batch.length
      const answer = await options.send(batch, attempt).catch((cause: unknown) => ({ status: 0, body: '', cause }))
      // Cleared meanwhile: the answer is about events that nobody waits for.
      if (!taken) continue
      if (isRetryable(answer.status)) await retryLater(answer)
      else if (answer.status === 413 && taken > 1) {
        limit = taken >> 1
        taken = 0
      } else {
        settle(batch, answer)
        if (!flushing && queue.count() < limit) break
      }
    }
    isDraining = false
    if (queue.count()) schedule()
  }

  async function retryLater({ status, retryAfter, cause }: DeliveryAnswer & { cause?: unknown }) {
    const reason = status ? `status ${status}` : 'no answer'
    report(status ? 'unavailable' : 'unreachable', `${reason}: ${taken} events will be sent again`, 0, cause)
    const askedMs = retryAfterMs(retryAfter)
    // Jitter on top keeps clients that were told the same from coming back together.
    const waitMs = (askedMs ?? 0) + backoffMs(askedMs ? 0 : attempt, retryMinMs, retryMaxMs)
    attempt++
    await new Promise<void>((resolve) => {
      const wait = startTimer(resolve, waitMs)
      hurry = (isForced) => {
        if (askedMs && !isForced) return
        clearTimeout(wait)
        attempt = 0
        resolve()
      }
    })
    hurry = undefined
  }

  function settle(batch: string[], { status, body }: DeliveryAnswer) {
    const rejected = rejectionsOf(body)
    if (status !== 202 && !rejected.length) report('refused', `status ${status}: ${body.slice(0, 300)}`, taken)
    for (const rejection of rejected) later(() => onRejected?.(rejection, JSON.parse(batch[rejection.index]!)))
    queue.remove(taken)
    taken = attempt = 0
    limit = Math.min(batchEvents, limit + 10)
    onChange?.()
  }

  return {
    push,
    report,
    first: queue.first,
    async flush() {
      flushing++
      const emptied = queue.emptied()
      hurry?.()
      void drain()
      await emptied
      flushing--
    },
    clear() {
      const count = queue.count()
      queue.remove(count)
      taken = attempt = 0
      hurry?.(true)
      onChange?.()
      return count
    },
  }
}

/** Everything but a 202 and a refusal leaves open whether the batch was stored; ids make it harmless to ask again. */
const isRetryable = (status: number) =>
  status !== 202 && (status < 400 || status === 408 || status === 429 || status >= 500)

function rejectionsOf(body: string): RejectedEvent[] {
  try {
    return (JSON.parse(body) as IngestAnswer).rejected ?? []
  } catch {
    return []
  }
}

/** Runs user code such that neither its exceptions nor its rejections reach us. */
const later = (run: () => unknown) =>
  void Promise.resolve()
    .then(run)
    .catch(() => {})

/** A timer that does not keep a Node process alive. */
function startTimer(run: () => void, ms: number) {
  const timer = setTimeout(run, ms)
  timer.unref?.()
  return timer
}
