import { type DeliveryAnswer, endpointOf, type QueuedEvent } from '@nowcast/sdk-core'
import type { ClientOptions } from './options.ts'

/** The HTTP side of a client. */
export interface Post {
  /** Posts a batch of events; rejects when there is no answer in time. */
  send(events: QueuedEvent[]): Promise<DeliveryAnswer>
  /** Hands a batch to the browser, which sends it even if the page goes away; false when it does not want it. */
  beacon(events: QueuedEvent[]): boolean
}

/** Makes the HTTP side of a client. Bodies are `text/plain` with the key inside: no preflight. */
export function createPost({ key, url, requestTimeoutMs = 10_000 }: ClientOptions): Post {
  const endpoint = endpointOf(url)
  const bodyOf = (events: QueuedEvent[]) =>
    `{"key":${JSON.stringify(key)},"sentAt":${Date.now()},"events":[${events.map(({ json }) => json)}]}`
  return {
    async send(events) {
      const timeout = new AbortController()
      const timer = setTimeout(() => timeout.abort(), requestTimeoutMs)
      try {
        const response = await fetch(endpoint, {
          method: 'POST',
          body: bodyOf(events),
          credentials: 'omit',
          signal: timeout.signal,
        })
        return {
          status: response.status,
          retryAfter: response.headers.get('retry-after'),
          body: await response.text(),
        }
      } finally {
        clearTimeout(timer)
      }
    },
    beacon: (events) => !!navigator.sendBeacon?.(endpoint, bodyOf(events)),
  }
}
