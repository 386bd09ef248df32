import type { ErrorCode } from './error.ts'
import type { Answer, Query, Series } from './query.ts'

/** Path of the Socket.IO endpoint. The handshake's `auth` is `{ token }`. */
export const LIVE_PATH = '/live'

export const LIVE_LIMITS = {
  /** Subscriptions of one connection. */
  subscriptions: 50,
  /** Shortest time between two deltas of a subscription, in ms. */
  everyMs: 1000,
} as const

/** A query somebody watches. */
export interface LiveQuery extends Query {
  /** Time between two deltas, ms ≥ 1000; the server may raise it. @default 1000 */
  every?: number
}

export interface LiveError {
  error: { code: ErrorCode; message: string; field?: string }
}

/** A subscription's whole answer at one revision. */
export interface LiveSnapshot {
  id: string
  revision: number
  snapshot: Answer
}

/**
 * What changed since the revision before. A series carries changed buckets only (`series`), `recent` its new events
 * only (as an `answer` with just those), every other kind its new `answer`. Buckets that scroll out of the range are
 * dropped by the client.
 */
export interface LiveDelta {
  id: string
  revision: number
  /** The server's clock, epoch ms. */
  asOf: number
  series?: Series[]
  answer?: Answer
}

export type SubscribeAck = LiveSnapshot | LiveError
export type ResumeAck = { id: string; deltas: LiveDelta[] } | LiveSnapshot | LiveError

export interface ClientToServerEvents {
  subscribe(query: LiveQuery, ack: (answer: SubscribeAck) => void): void
  /**
   * After a gap in revisions, or with the last revision after a reconnect. Another server does not know the id: it
   * answers with a snapshot of `query`, under an id of its own, and without a query with `not_found`.
   */
  resume(request: { id: string; revision: number; query?: LiveQuery }, ack: (answer: ResumeAck) => void): void
  unsubscribe(request: { id: string }, ack?: (answer: { id: string } | LiveError) => void): void
  /** A fresh token for this connection. */
  authenticate(request: { token: string }, ack: (answer: { expiresAt: number } | LiveError) => void): void
}

export interface ServerToClientEvents {
  delta(delta: LiveDelta): void
  /** Replaces what the client holds. */
  snapshot(snapshot: LiveSnapshot): void
  /** The token has expired; these subscriptions have ended. */
  expired(message: { ids: string[] }): void
}
