import { createDelivery, createReport, createUuidV7, type EventFields, toEvent } from '@nowcast/sdk-core'
import { watchClicks } from './clicks.ts'
import { watchErrors } from './errors.ts'
import { createIdentity } from './identity.ts'
import { listen } from './listen.ts'
import type { ClientOptions } from './options.ts'
import { watchPageViews } from './page-views.ts'
import { createPost } from './post.ts'
import { createStorage } from './storage.ts'
import { createStoredQueue } from './stored-queue.ts'

/** Largest batch: what a page may leave to the browser is 64 KiB, and the key and its wrapping need some. */
const REQUEST_BYTES = 60_000

/** How often a page looks for events that another tab left behind when it crashed. */
const ADOPT_MS = 15_000

const OPTED_OUT = 'nowcast.optedOut'

/** Sends what happens in a page. Nothing it does throws or blocks. */
export interface Client {
  /**
   * Tracks an event. Known fields are the event's own, everything else becomes its properties.
   *
   * @example nowcast.track('purchase', { revenue: '19.99', currency: 'EUR', category: 'shoes', sku: 'A-1' })
   */
  track(name: string, fields?: EventFields): void
  /**
   * Tracks a `page_view` of the current page: for pages that have no address of their own, and without `autocapture`.
   *
   * @example nowcast.page({ title: 'Step 2', step: 2 })
   */
  page(fields?: EventFields): void
  /**
   * Makes later events carry `userId`, on every page of the site, until `reset()`; sends nothing. The server keeps no
   * traits yet, so `traits` are left out.
   *
   * @example nowcast.identify('u1')
   */
  identify(userId: string, traits?: Record<string, unknown>): void
  /**
   * Forgets user, visitor and session: the next event is a stranger's.
   *
   * @example logOut().then(() => nowcast.reset())
   */
  reset(): void
  /**
   * Sends now what is queued, without waiting for `batchMs` or for the next attempt. Resolves when every event tracked
   * before has been answered, or dropped by a bound; while the server is away, that is when it is back.
   *
   * @example await nowcast.flush()
   */
  flush(): Promise<void>
  /**
   * Tracks nothing from now on, on every page of the site; forgets who the visitor is and what is queued.
   *
   * @example declineButton.onclick = () => nowcast.optOut()
   */
  optOut(): void
  /**
   * Tracks again after `optOut()`.
   *
   * @example acceptButton.onclick = () => nowcast.optIn()
   */
  optIn(): void
  /**
   * Stops tracking on this page and sends what is queued; resolves like `flush()`.
   *
   * @example await nowcast.close()
   */
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
  if (typeof document === 'undefined' || isRefusedByBrowser(options)) return SILENT_CLIENT

  const { batchMs = 50, batchEvents = 100, queueEvents = 1000, retryMinMs = 500, retryMaxMs = 30_000 } = options
  const report = createReport(options.onError)
  const storage = createStorage(options.cookieless)
  // A wish that lasts for a page would be none: it is stored even where nothing else is.
  const wishes = createStorage()
  const queue = createStoredQueue(storage, options.key, queueEvents, report)
  const createId = createUuidV7(Date.now, queue.newest())
  const identity = createIdentity(storage, createId)
  const post = createPost(options)
  const delivery = createDelivery({
    queue,
    report,
    batchMs,
    batchEvents,
    retryMinMs,
    retryMaxMs,
    send: post.send,
    requestEvents: batchEvents,
    requestBytes: REQUEST_BYTES,
    onRejected: options.onRejected,
  })
  let isClosed = false
  let href = location.href
  let { referrer } = document
  /** The newest event that the browser was left with. */
  let newestLeft: string | undefined

  const isOptedOut = () => !!wishes.get(OPTED_OUT)

  function track(name: string, fields: EventFields = {}) {
    if (isClosed || isOptedOut()) return
    // A page that the browser only prepares may never be seen.
    if ((document as { prerendering?: boolean }).prerendering)
      return void document.addEventListener('prerenderingchange', () => track(name, fields), { once: true })
    const id = createId()
    const defaults = { id, timestamp: Date.now(), url: location.href.slice(0, 2048), ...identity.ids() }
    try {
      queue.push(id, JSON.stringify(toEvent(name, defaults, fields)))
    } catch (cause) {
      return report('invalid_event', `no JSON can be made of event ${name}`, 1, cause)
    }
    delivery.wake()
  }

  function page(fields?: EventFields) {
    if (href !== location.href) {
      referrer = href
      href = location.href
    }
    const hash = options.hash ? { hash: location.hash } : {}
    track('page_view', { referrer: referrer.slice(0, 2048), title: document.title.slice(0, 512), ...hash, ...fields })
  }

  function leave() {
    const newest = queue.newest()
    // Hiding and unloading often come together.
    if (newest === newestLeft || isOptedOut()) return
    // Each piece goes on where the one before ended, and the first starts with what is in flight: what arrives first is
    // in the order of events. What the browser refuses is sent by the next page.
    for (let after = ' '; ; ) {
      const piece = queue.first(1000, REQUEST_BYTES, after)
      if (!piece[0]) break
      if (!post.beacon(piece)) return
      after = piece[piece.length - 1]!.key
    }
    newestLeft = newest
  }

  if (options.userId) identity.identify(options.userId)
  const adopt = () => queue.newest() && delivery.wake()
  const adopting = setInterval(adopt, ADOPT_MS)
  const stops = [
    () => clearInterval(adopting),
    listen(document, 'visibilitychange', () => {
      if (document.visibilityState === 'hidden') leave()
    }),
    listen(window, 'pagehide', leave),
    listen(window, 'online', delivery.hurry),
  ]
  if (options.autocapture !== false) {
    page()
    stops.push(...watchPageViews(page, options.hash))
  }
  if (options.clicks) stops.push(watchClicks(track))
  if (options.errors) stops.push(...watchErrors((error) => track('error', { ...error })))
  adopt()

  return {
    track,
    page,
    identify: identity.identify,
    reset: identity.reset,
    flush: delivery.flush,
    optOut() {
      identity.reset()
      wishes.set(OPTED_OUT, '1')
      delivery.clear()
    },
    optIn: () => wishes.set(OPTED_OUT),
    close() {
      isClosed = true
      for (const stop of stops) stop()
      return delivery.flush()
    },
  }
}

function isRefusedByBrowser({ respectGpc, respectDnt }: ClientOptions) {
  const { globalPrivacyControl, doNotTrack } = navigator as Navigator & { globalPrivacyControl?: boolean }
  return (respectGpc && globalPrivacyControl) || (respectDnt && doNotTrack === '1')
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
