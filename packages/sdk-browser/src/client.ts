import { createDelivery, createUuidV7, type EventFields, toEvent } from '@nowcast/sdk-core'
import { watchClicks } from './clicks.ts'
import { watchErrors } from './errors.ts'
import { createIdentity } from './identity.ts'
import { watchLeaving } from './leaving.ts'
import type { ClientOptions } from './options.ts'
import { watchPageViews } from './page-views.ts'
import { createPost } from './post.ts'
import { openSavedQueue } from './saved-queue.ts'
import { createStorage } from './storage.ts'

/** Largest batch: what a page may leave to the browser is 64 KiB, and the key and its wrapping need some. */
const BATCH_BYTES = 60_000

/** Bytes of events that are kept at most: a fraction of what `localStorage` holds for all of a site's scripts. */
const QUEUE_BYTES = 512 * 1024

export interface Client {
  /** Tracks an event. */
  track(name: string, fields?: EventFields): void
  /** Tracks a `page_view` of the current page. */
  page(fields?: EventFields): void
  /** Makes later events carry `userId`; sends nothing. The server keeps no traits yet, so `traits` are left out. */
  identify(userId: string, traits?: Record<string, unknown>): void
  /** Forgets user, visitor and session, as after a log-out. */
  reset(): void
  /** Sends now what is queued; resolves when all of it has been answered. */
  flush(): Promise<void>
  /** Tracks nothing from now on, on every page of the site; forgets who the visitor is and what is queued. */
  optOut(): void
  /** Tracks again after `optOut()`. */
  optIn(): void
  /** Stops tracking on this page and sends what is queued; resolves when all of it has been answered. */
  close(): Promise<void>
}

/**
 * Makes a client that sends events in order, in batches, and again until they are stored. Outside of a browser it does
 * nothing.
 *
 * @example
 * const nowcast = createClient({ key: 'nc_pub_…', url: 'https://nowcast.example' })
 * nowcast.track('purchase', { revenue: '19.99', currency: 'EUR', category: 'shoes', sku: 'A-1' })
 */
export function createClient(options: ClientOptions): Client {
  for (const field of ['key', 'url'] as const)
    if (!options[field] || typeof options[field] !== 'string') throw new TypeError(`${field} must be a text`)
  if (typeof document === 'undefined') return SILENT_CLIENT

  const createId = createUuidV7()
  const storage = createStorage()
  const identity = createIdentity(storage, createId)
  const savedQueue = openSavedQueue(storage, options.key, createId())
  const post = createPost(options)
  const encoder = new TextEncoder()
  const save = () => savedQueue.save(delivery.first(Infinity, Infinity))
  const { batchMs = 50, batchEvents = 100, queueEvents = 1000, retryMinMs = 500, retryMaxMs = 30_000 } = options
  const { onError, onRejected } = options
  const delivery = createDelivery({
    batchMs,
    batchEvents,
    queueEvents,
    retryMinMs,
    retryMaxMs,
    onError,
    onRejected,
    batchBytes: BATCH_BYTES,
    queueBytes: QUEUE_BYTES,
    send: post.send,
    byteLength: (text) => encoder.encode(text).length,
    onChange: save,
  })
  let isClosed = false
  let href = location.href
  let { referrer } = document
  /** The newest event that the browser was left with. */
  let newestLeft: string | undefined

  function track(name: string, fields: EventFields = {}) {
    if (isClosed || identity.isOptedOut()) return
    const defaults = { id: createId(), timestamp: Date.now(), url: location.href.slice(0, 2048), ...identity.ids() }
    try {
      delivery.push(JSON.stringify(toEvent(name, defaults, fields)))
    } catch (cause) {
      delivery.report('invalid_event', `no JSON can be made of event ${name}`, 1, cause)
    }
    // A hidden page may never run again.
    if (document.visibilityState === 'hidden') save()
  }

  function page(fields?: EventFields) {
    if (href !== location.href) {
      referrer = href
      href = location.href
    }
    track('page_view', { referrer: referrer.slice(0, 2048), title: document.title.slice(0, 512), ...fields })
  }

  function leave() {
    save()
    const [newest] = delivery.first(Infinity, Infinity).slice(-1)
    // Hiding and unloading often come together.
    if (newest === newestLeft) return
    // Each piece goes on where the one before ended, and the first starts with what is in flight: whichever arrives
    // first, the order of first arrivals is the order of events. What the browser refuses is sent by the next page.
    for (let sent = 0; ; ) {
      const piece = delivery.first(1000, BATCH_BYTES, sent)
      if (!piece.length) break
      if (!post.beacon(piece)) return
      sent += piece.length
    }
    newestLeft = newest
  }

  if (options.userId) identity.identify(options.userId)
  const adopted = savedQueue.adopt()
  if (!identity.isOptedOut()) for (const event of adopted) delivery.push(event)
  save()
  const stops = watchLeaving(leave)
  if (options.autocapture !== false) {
    page()
    stops.push(...watchPageViews(page))
  }
  if (options.clicks) stops.push(watchClicks(track))
  if (options.errors) stops.push(...watchErrors((error) => track('error', { ...error })))

  return {
    track,
    page,
    identify: identity.identify,
    reset: identity.reset,
    flush: delivery.flush,
    optOut() {
      identity.setOptedOut(true)
      delivery.clear()
    },
    optIn: () => identity.setOptedOut(false),
    close() {
      isClosed = true
      for (const stop of stops) stop()
      save()
      return delivery.flush()
    },
  }
}

const nothing = () => {}
const nothingLeft = async () => {}
const SILENT_CLIENT: Client = {
  track: nothing,
  page: nothing,
  identify: nothing,
  reset: nothing,
  flush: nothingLeft,
  optOut: nothing,
  optIn: nothing,
  close: nothingLeft,
}
