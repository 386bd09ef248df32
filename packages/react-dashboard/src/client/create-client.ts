import type { LiveQuery, Query } from '@nowcast/protocol'
import { CONNECTING, type ConnectionState, createConnection } from './create-connection.ts'
import { createNoticeQueue } from './create-notice-queue.ts'
import { createOneShots } from './create-one-shots.ts'
import { createSharedViews } from './create-shared-views.ts'
import type { Store } from './create-store.ts'
import { createSubscriptions } from './create-subscriptions.ts'
import { createTokenSource, type TokenInput } from './create-token-source.ts'
import { endpointOf } from './endpoint-of.ts'
import { postQuery } from './post-query.ts'
import type { AnswerOf, View } from './view.ts'

/** Where to ask, as whom. */
export interface ClientOptions {
  /** The server's base url; a path in it is kept: `https://host/analytics`. */
  url: string
  /** A read token, or a function that fetches one; the function is called again when a token has expired. */
  token: TokenInput
  /** How long a subscription outlives its last watcher, ms. @default 1000 */
  lingerMs?: number
  /** Shortest time between two notices to the watchers, ms. @default 100 */
  noticeMs?: number
}

/** Figures of one server, without any framework. Nothing is opened before something is watched. */
export interface Client {
  /** A query as a store that the server keeps up to date. Equal queries share one subscription. */
  live<Q extends LiveQuery>(query: Q): View<AnswerOf<Q['kind']>>
  /** A query as a store that is asked once, or every `refreshMs`. */
  once<Q extends Query>(query: Q, refreshMs?: number): View<AnswerOf<Q['kind']>>
  /** Asks once. Throws a `NowcastError`. */
  query<Q extends Query>(query: Q): Promise<AnswerOf<Q['kind']>>
  /** The state of the connection; watching it keeps the connection open. */
  connection: Store<ConnectionState>
}

/**
 * Makes a client.
 *
 * @example
 * const client = createClient({ url: 'https://host', token })
 * const users = client.live({ kind: 'total', metric: 'active_users' })
 * const stop = users.subscribe(() => show(users.getSnapshot().data?.v))
 */
export function createClient({ url, token, lingerMs = 1000, noticeMs = 100 }: ClientOptions): Client {
  const endpoint = () => endpointOf(url)
  const tokens = createTokenSource(token)
  const notices = createNoticeQueue(noticeMs)
  const connection = createConnection(endpoint, tokens, notices)
  const subscriptions = createSubscriptions(connection, notices, lingerMs)
  const query = <Q extends Query>(asked: Q) => postQuery(endpoint().queryUrl, tokens, asked)
  const oneShots = createOneShots(query, notices, lingerMs)
  const watchedConnection = createSharedViews<ConnectionState>(lingerMs)

  return {
    live: <Q extends LiveQuery>(asked: Q) => subscriptions.live(asked) as View<AnswerOf<Q['kind']>>,
    once: <Q extends Query>(asked: Q, refreshMs?: number) =>
      oneShots.once(asked, refreshMs) as View<AnswerOf<Q['kind']>>,
    query,
    connection: watchedConnection('', CONNECTING, () => {
      const release = connection.hold()
      return {
        store: connection,
        close() {
          release()
          return true
        },
      }
    }),
  }
}
