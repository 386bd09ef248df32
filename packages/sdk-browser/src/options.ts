import type { EventInput, RejectedEvent } from '@nowcast/protocol'
import type { DeliveryError } from '@nowcast/sdk-core'

/** How a client is set up; `key` and `url` are needed. */
export interface ClientOptions {
  /** The project's write key. */
  key: string
  /** The server's address, with the path it is mounted at if there is one. */
  url: string
  /** The user, when known at the start: the first page view then carries it. @default the one identified before */
  userId?: string
  /** Track page views: the first one, and those of history navigation. @default true */
  autocapture?: boolean
  /** A new fragment (`#/cart`) is a new page too, and page views carry it as property `hash`. @default false */
  hash?: boolean
  /** Track clicks on elements that have `data-nowcast-event="<event name>"`, or are inside one. @default false */
  clicks?: boolean
  /** Track uncaught exceptions and rejections as `error`, each once a page, 20 a page at most. @default false */
  errors?: boolean
  /**
   * Store nothing on the device: visitor, session and queue live in memory, so a visitor is one load of the page. Only
   * `optOut()` is remembered, since it could not be kept otherwise. @default false
   */
  cookieless?: boolean
  /** Track nothing where the browser sends Global Privacy Control. @default false */
  respectGpc?: boolean
  /** Track nothing where the browser sends Do Not Track. @default false */
  respectDnt?: boolean
  /** How long the first event of a batch waits for others. @default 50 */
  batchMs?: number
  /** Events in one request at most, 1–1000. @default 100 */
  batchEvents?: number
  /** Events not yet answered that are kept at most, of all tabs together; the oldest makes room. @default 1000 */
  queueEvents?: number
  /** Upper bound of the first wait before a batch is sent again; doubles with each attempt. @default 500 */
  retryMinMs?: number
  /** Upper bound of every such wait. @default 30000 */
  retryMaxMs?: number
  /** How long to wait for an answer. @default 10000 */
  requestTimeoutMs?: number
  /** Hears of every failure: of attempts that will be repeated, and of events that are lost. @default none */
  onError?: (error: DeliveryError) => void
  /** Hears of every event that the server refused, and why. @default none */
  onRejected?: (rejection: RejectedEvent, event: EventInput) => void
}
