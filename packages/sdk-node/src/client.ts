import type { ContextInput } from '@nowcast/protocol'
import { createDelivery, createUuidV7, EVENT_FIELDS, type EventFields, toEvent } from '@nowcast/sdk-core'
import { onBeforeExit } from './exit-flush.ts'
import { type ClientOptions, resolveOptions } from './options.ts'
import { createPost } from './post.ts'

/** Who an event is about: at least one of `userId` and `anonymousId`. */
export type Sender = { userId: string; anonymousId?: string } | { userId?: string; anonymousId: string }

/** What an event carries: its sender, known fields by their names, anything else as properties (JSON, up to 8 KB). */
export type TrackOptions = EventFields &
  Sender & {
    /** Where the event comes from; `ip`, `userAgent`, `country` and `device` are believed from a secret key only. */
    context?: ContextInput
  }

export interface Client {
  /** Queues an event; false when it was not queued, which `onError` is told too. */
  track(name: string, options: TrackOptions): boolean
  /** Queues a `page_view`. */
  page(options: TrackOptions): boolean
  /** Accepted for symmetry with other SDKs: the server keeps no traits yet, so nothing is sent. */
  identify(options: Sender & { traits?: Record<string, unknown> }): void
  /**
   * Sends what is queued without waiting for the batch to fill; resolves when all of it has been answered, or after
   * `timeoutMs` (@default 30000): what is left then stays queued.
   */
  flush(options?: { timeoutMs?: number }): Promise<void>
  /**
   * Takes no more events, sends what is queued, and resolves when all of it has been answered, or after `timeoutMs`
   * (@default `closeTimeoutMs`): what is left then is lost, which `onError` is told.
   */
  close(options?: { timeoutMs?: number }): Promise<void>
}

const KNOWN_FIELDS = [...EVENT_FIELDS, 'context']

/**
 * Makes a client that sends events in order, in batches, and again until they are stored. No verb ever throws.
 *
 * @example
 * const nowcast = createClient({ key: 'nc_sec_…', url: 'https://nowcast.example' })
 * nowcast.track('purchase', { userId: 'u1', revenue: '19.99', currency: 'EUR', sku: 'A-1' })
 * await nowcast.close()
 */
export function createClient(options: ClientOptions): Client {
  const resolved = resolveOptions(options)
  const post = createPost(resolved)
  const delivery = createDelivery({ ...resolved, send: post.send, byteLength: Buffer.byteLength })
  const createId = createUuidV7()
  let closing: Promise<void> | undefined
  const stopExitFlush = onBeforeExit(() => {
    if (delivery.first(1, 0).length) void drain(resolved.closeTimeoutMs)
  })

  function track(name: string, fields: EventFields) {
    if (closing) {
      delivery.report('closed', 'the client is closed', 1)
      return false
    }
    let json: string
    try {
      json = JSON.stringify(toEvent(name, { id: createId(), timestamp: Date.now() }, fields ?? {}, KNOWN_FIELDS))
    } catch (cause) {
      delivery.report('invalid_event', `no JSON can be made of event ${name}`, 1, cause)
      return false
    }
    return delivery.push(json)
  }

  async function flush({ timeoutMs = 30_000 } = {}) {
    // This timer, and no other, keeps the process alive until the wait is over.
    let deadline: NodeJS.Timeout | undefined
    const timeout = new Promise<void>((resolve) => {
      deadline = setTimeout(resolve, timeoutMs)
    })
    await Promise.race([delivery.flush(), timeout])
    clearTimeout(deadline)
  }

  /** Flushes, and gives up what is left after `timeoutMs`. */
  async function drain(timeoutMs: number) {
    await flush({ timeoutMs })
    const lostEvents = delivery.clear()
    if (lostEvents) {
      delivery.report('closed', `${lostEvents} events were not answered within ${timeoutMs} ms`, lostEvents)
      post.close()
    }
  }

  return {
    track,
    page: (fields) => track('page_view', fields),
    identify() {},
    flush,
    close({ timeoutMs = resolved.closeTimeoutMs } = {}) {
      closing ??= drain(timeoutMs).then(() => {
        stopExitFlush()
        post.close()
      })
      return closing
    },
  }
}
