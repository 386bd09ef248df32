import type { ContextInput } from '@nowcast/protocol'
import { createDelivery, createReport, type EventFields } from '@nowcast/sdk-core'
import { eventJson } from './event-json.ts'
import { onBeforeExit } from './exit-flush.ts'
import { createMemoryQueue } from './memory-queue.ts'
import { type ClientOptions, resolveOptions } from './options.ts'
import { createPost } from './post.ts'
import { createSummingReport } from './report-dropped.ts'
import { openSpoolQueue } from './spool/spool-queue.ts'

/** Who an event is about: at least one of `userId` and `anonymousId`. */
export type Sender = { userId: string; anonymousId?: string } | { userId?: string; anonymousId: string }

/** What an event carries: its sender, known fields by their names, anything else as properties (JSON, up to 8 KB). */
export type TrackOptions = EventFields &
  Sender & {
    /** Where the event comes from; `ip`, `userAgent`, `country` and `device` are believed from a secret key only. */
    context?: ContextInput
  }

/** How long to wait. */
export interface WaitOptions {
  /** The wait ends after so long. */
  timeoutMs?: number
  /** The wait ends when this aborts; nothing is thrown. */
  signal?: AbortSignal
}

/** Sends what happens on a server. Events wait in a queue until the server has answered for them. */
export interface Client {
  /**
   * Queues an event; false when it was not queued, which `onError` is told too.
   *
   * @example nowcast.track('purchase', { userId: 'u1', revenue: '19.99', currency: 'EUR', sku: 'A-1' })
   */
  track(name: string, options: TrackOptions): boolean
  /**
   * Queues a `page_view`.
   *
   * @example nowcast.page({ anonymousId: 'a1', url: 'https://shop.example/', context: { ip: '203.0.113.7' } })
   */
  page(options: TrackOptions): boolean
  /**
   * Accepted for symmetry with other SDKs: the server keeps no traits yet, so nothing is sent.
   *
   * @example nowcast.identify({ userId: 'u1', traits: { plan: 'pro' } })
   */
  identify(options: Sender & { traits?: Record<string, unknown> }): void
  /**
   * Sends what is queued without waiting for the batch to fill, or for the next attempt. True when every event queued
   * before has been answered; false after `timeoutMs` (@default 30000) or when `signal` aborts: what is left then stays
   * queued. Never rejects.
   *
   * @example
   * export const handler = async (event) => {
   *   nowcast.track('order', { userId: event.user })
   *   await nowcast.flush({ timeoutMs: 2000 }) // a function may be frozen as soon as it has answered
   * }
   */
  flush(options?: WaitOptions): Promise<boolean>
  /**
   * Takes no more events, sends what is queued, and ends the connection. True when all of it has been answered; false
   * after `timeoutMs` (@default `closeTimeoutMs`) or when `signal` aborts: what is left then is lost, which `onError` is
   * told, or stays in the spool. Never rejects.
   *
   * @example
   * process.once('SIGTERM', async () => {
   *   await nowcast.close({ timeoutMs: 5000 })
   *   process.exit()
   * })
   */
  close(options?: WaitOptions): Promise<boolean>
}

/**
 * Makes a client that sends events in order, in batches, and again until they are stored. No verb ever throws.
 *
 * @throws TypeError that names the option that is wrong
 * @example
 * const nowcast = createClient({ key: 'nc_sec_…', url: 'https://nowcast.example' })
 * nowcast.track('purchase', { userId: 'u1', revenue: '19.99', currency: 'EUR', sku: 'A-1' })
 * await nowcast.close()
 */
export function createClient(options: ClientOptions): Client {
  const resolved = resolveOptions(options)
  const { batchBytes, closeTimeoutMs, signal } = resolved
  const post = createPost(resolved)
  const report = createReport(resolved.onError)
  const reportDropped = createSummingReport(report, resolved.batchMs)
  const queue = resolved.spool
    ? openSpoolQueue(resolved, resolved.spool, reportDropped, () => delivery.wake())
    : createMemoryQueue(resolved, reportDropped)
  const delivery = createDelivery({ ...resolved, queue, report, send: post.send, requestBytes: batchBytes })
  let closing: Promise<boolean> | undefined
  /** The newest event that the last wait at the end of the process did not see answered. */
  let givenUp: number | undefined
  const stopExitFlush = onBeforeExit(() => {
    const newest = queue.newest()
    if (newest === givenUp) return
    givenUp = newest
    void drain({ timeoutMs: closeTimeoutMs })
  })

  function track(name: string, fields: EventFields) {
    if (closing) {
      report('closed', 'the client is closed', 1)
      return false
    }
    let json: string
    try {
      json = eventJson(name, fields ?? {})
    } catch (cause) {
      report('invalid_event', `no JSON can be made of event ${name}`, 1, cause)
      return false
    }
    // One that fits into no batch would stop all that wait behind it. No character has more than 3 bytes.
    if (json.length * 3 > batchBytes && Buffer.byteLength(json) > batchBytes) {
      report('invalid_event', `event ${name} is over the limit of ${batchBytes} bytes`, 1)
      return false
    }
    const isQueued = queue.push(json)
    delivery.wake()
    return isQueued
  }

  async function flush({ timeoutMs = 30_000, signal }: WaitOptions = {}) {
    if (signal?.aborted) return queue.newest() === undefined
    let stopWaiting = () => {}
    const expired = new Promise<boolean>((resolve) => {
      // This timer, and no other, keeps the process alive until the wait is over.
      const deadline = setTimeout(resolve, timeoutMs, false)
      const abort = () => resolve(false)
      signal?.addEventListener('abort', abort)
      stopWaiting = () => {
        clearTimeout(deadline)
        signal?.removeEventListener('abort', abort)
      }
    })
    const isAnswered = await Promise.race([delivery.flush().then(() => true), expired])
    stopWaiting()
    return isAnswered
  }

  /** Flushes, and gives up what is left. */
  async function drain(options: WaitOptions) {
    const isAnswered = await flush(options)
    if (queue.newest() === undefined) return isAnswered
    if (queue.isDurable) return false
    const lostEvents = delivery.clear()
    report('closed', `${lostEvents} events were not answered in time`, lostEvents)
    post.close()
    return false
  }

  function close({ timeoutMs = closeTimeoutMs, signal }: WaitOptions = {}) {
    closing ??= drain({ timeoutMs, signal }).then((isAnswered) => {
      stopExitFlush()
      post.close()
      queue.close()
      delivery.clear()
      return isAnswered
    })
    return closing
  }

  if (queue.newest() !== undefined) delivery.wake()
  if (signal?.aborted) void close()
  signal?.addEventListener('abort', () => void close(), { once: true })
  return { track, page: (fields) => track('page_view', fields), identify() {}, flush, close }
}
