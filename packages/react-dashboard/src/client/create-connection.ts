import type { LiveDelta, LiveError, LiveQuery, LiveSnapshot, ResumeAck, SubscribeAck } from '@nowcast/protocol'
import { createBackoff } from './create-backoff.ts'
import type { NoticeQueue } from './create-notice-queue.ts'
import { createStore, type Store } from './create-store.ts'
import type { TokenSource } from './create-token-source.ts'
import type { Endpoint } from './endpoint-of.ts'
import { errorFromBody, errorFromCause, NowcastError } from './nowcast-error.ts'
import { type LiveSocket, openLiveSocket } from './open-live-socket.ts'

/** Whether figures can arrive at the moment. */
export interface ConnectionState {
  /** `offline`: the browser has no network. `refused`: the server answered, and said no; see `error`. */
  status: 'connecting' | 'live' | 'reconnecting' | 'offline' | 'refused'
  error: NowcastError | undefined
}

/** What the socket tells the subscriptions. */
export interface ConnectionListener {
  /** The socket is open, for the first time or again, or a fresh token was accepted. */
  opened(): void
  lost(): void
  /** There is no connection, for this reason. */
  failed(error: NowcastError): void
  delta(delta: LiveDelta): void
  snapshot(snapshot: LiveSnapshot): void
  expired(ids: string[]): void
}

/** One live connection, open while somebody holds it. */
export interface Connection extends Store<ConnectionState> {
  /** Keeps the connection open until the returned function is called. */
  hold(): () => void
  /** Names the one listener. */
  listen(listener: ConnectionListener): void
  isOpen(): boolean
  /** When the server was last heard, by the browser's clock, epoch ms: until then the figures were up to date. */
  heardAt(): number | undefined
  requestSubscribe(query: LiveQuery): Promise<SubscribeAck>
  requestResume(id: string, revision: number): Promise<ResumeAck>
  unsubscribe(id: string): void
}

/** The state before anything was tried, also while rendering on a server. */
export const CONNECTING: ConnectionState = Object.freeze({ status: 'connecting', error: undefined })

const LOST_MS = 500
const LOST_MOST_MS = 10_000
const REFUSED_MS = 1000

/** Makes a connection that reconnects by itself and fetches a token for every attempt. */
export function createConnection(endpoint: () => Endpoint, tokens: TokenSource, notices: NoticeQueue): Connection {
  const store = createStore<ConnectionState>(CONNECTING, notices)
  const whenLost = createBackoff(LOST_MS, LOST_MOST_MS)
  const whenRefused = createBackoff(REFUSED_MS)
  let socket: LiveSocket | undefined
  let listener: ConnectionListener | undefined
  let holders = 0
  let wasOpen = false
  let tokenUsed = false
  let heardAt: number | undefined

  function showLost(error: NowcastError | undefined) {
    const offline = globalThis.navigator?.onLine === false
    store.set({ status: offline ? 'offline' : wasOpen ? 'reconnecting' : 'connecting', error })
    if (error) listener?.failed(error)
  }

  function showRefused(error: NowcastError, retry: () => void) {
    store.set({ status: error.code === 'network' ? 'reconnecting' : 'refused', error })
    listener?.failed(error)
    if (error.retryable || (error.needsToken && tokens.renewable)) whenRefused.schedule(retry)
  }

  async function giveToken(own: LiveSocket) {
    try {
      const token = await (tokenUsed ? tokens.fresh() : tokens.current())
      tokenUsed = true
      own.giveAccess({ token })
    } catch (cause) {
      if (own !== socket) return
      own.close()
      showRefused(errorFromCause(cause), connect)
    }
  }

  async function renewToken() {
    const own = socket
    try {
      if (!tokens.renewable) throw new NowcastError('expired_token', 'The token has expired.')
      const token = await tokens.fresh()
      const ack = (await request('authenticate', { token })) as { expiresAt: number } | LiveError
      if ('error' in ack) throw errorFromBody(ack, 'invalid_token', 'The token was refused.')
      opened()
    } catch (cause) {
      // A socket lost meanwhile comes back with a token of its own.
      if (own === socket && own?.isOpen()) showRefused(errorFromCause(cause), renewToken)
    }
  }

  function opened() {
    wasOpen = true
    whenLost.reset()
    whenRefused.reset()
    store.set({ status: 'live', error: undefined })
    listener?.opened()
  }

  function request(name: string, body: unknown): Promise<unknown> {
    if (!socket) return Promise.reject(new NowcastError('network', 'The connection is not open.'))
    return socket.request(name, body)
  }

  function networkReturned() {
    // What was open before may hang in a network that is gone.
    if (store.getSnapshot().status !== 'live') connect()
  }

  function networkLeft() {
    showLost(store.getSnapshot().error)
    // The socket may take a while to notice.
    if (socket?.isOpen()) listener?.lost()
  }

  /** Any frame, also a heartbeat. */
  function heard() {
    if (!socket?.isOpen()) return
    heardAt = Date.now()
    // What came in spite of `offline` came from the same machine, or the network is back.
    if (store.getSnapshot().status === 'offline') opened()
  }

  /** Opens a socket in place of the one before. */
  function connect() {
    const wasConnected = socket?.isOpen()
    socket?.close()
    if (wasConnected) listener?.lost()
    whenLost.cancel()
    whenRefused.cancel()
    let isAccepted = false
    const own = openLiveSocket(endpoint().liveUrl, {
      reached: () => void giveToken(own),
      heard,
      opened() {
        isAccepted = true
        heardAt = Date.now()
        opened()
      },
      event(name, body) {
        if (name === 'delta') listener?.delta(body as LiveDelta)
        else if (name === 'snapshot') listener?.snapshot(body as LiveSnapshot)
        else if (name === 'expired') {
          listener?.expired((body as { ids: string[] }).ids)
          void renewToken()
        }
      },
      refused(body) {
        const { message = 'The server refused the connection.', data } = (body ?? {}) as Partial<Refusal>
        showRefused(errorFromBody(data, 'internal', message), connect)
      },
      ended(error) {
        showLost(isAccepted ? undefined : error)
        listener?.lost()
        whenLost.schedule(connect)
      },
    })
    socket = own
  }

  function open() {
    globalThis.addEventListener?.('online', networkReturned)
    globalThis.addEventListener?.('offline', networkLeft)
    connect()
  }

  function close() {
    globalThis.removeEventListener?.('online', networkReturned)
    globalThis.removeEventListener?.('offline', networkLeft)
    whenLost.reset()
    whenRefused.reset()
    socket?.close()
    socket = undefined
    wasOpen = false
    heardAt = undefined
    store.set(CONNECTING)
    listener?.lost()
  }

  return {
    getSnapshot: store.getSnapshot,
    subscribe: store.subscribe,
    hold() {
      let held = true
      if (++holders === 1) open()
      return () => {
        if (!held) return
        held = false
        if (--holders === 0) close()
      }
    },
    listen(next) {
      listener = next
    },
    isOpen: () => socket?.isOpen() ?? false,
    heardAt: () => heardAt,
    requestSubscribe: async (query) => (await request('subscribe', query)) as SubscribeAck,
    requestResume: async (id, revision) => (await request('resume', { id, revision })) as ResumeAck,
    unsubscribe: (id) => socket?.send('unsubscribe', { id }),
  }
}

/** What Socket.IO says of a connection that the server refuses. */
interface Refusal {
  message: string
  data: unknown
}
