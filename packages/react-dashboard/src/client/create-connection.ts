import type {
  ClientToServerEvents,
  LiveDelta,
  LiveQuery,
  LiveSnapshot,
  ResumeAck,
  ServerToClientEvents,
  SubscribeAck,
} from '@nowcast/protocol'
import { io, type Socket } from 'socket.io-client'
import { createBackoff } from './create-backoff.ts'
import type { NoticeQueue } from './create-notice-queue.ts'
import { createStore, type Store } from './create-store.ts'
import type { TokenSource } from './create-token-source.ts'
import type { Endpoint } from './endpoint-of.ts'
import { errorFromBody, errorFromCause, NowcastError } from './nowcast-error.ts'

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

/** One Socket.IO connection, open while somebody holds it. */
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

const ACK_MS = 10_000
const RETRY_MS = 1000

/** Makes a connection that reconnects by itself and fetches a token for every attempt. */
export function createConnection(endpoint: () => Endpoint, tokens: TokenSource, notices: NoticeQueue): Connection {
  const store = createStore<ConnectionState>(CONNECTING, notices)
  const backoff = createBackoff(RETRY_MS)
  let socket: Socket<ServerToClientEvents, ClientToServerEvents> | undefined
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
    if (error.retryable || (error.needsToken && tokens.renewable)) backoff.schedule(retry)
  }

  function reconnect() {
    socket?.disconnect().connect()
  }

  async function giveToken(send: (auth: { token: string }) => void) {
    try {
      const token = await (tokenUsed ? tokens.fresh() : tokens.current())
      tokenUsed = true
      send({ token })
    } catch (cause) {
      socket?.disconnect()
      showRefused(errorFromCause(cause), reconnect)
    }
  }

  async function renewToken() {
    try {
      if (!tokens.renewable) throw new NowcastError('expired_token', 'The token has expired.')
      const token = await tokens.fresh()
      const ack = await request().emitWithAck('authenticate', { token })
      if ('error' in ack) throw errorFromBody(ack, 'invalid_token', 'The token was refused.')
      opened()
    } catch (cause) {
      // A socket lost meanwhile comes back with a token of its own.
      if (socket?.connected) showRefused(errorFromCause(cause), renewToken)
    }
  }

  function opened() {
    wasOpen = true
    backoff.reset()
    store.set({ status: 'live', error: undefined })
    listener?.opened()
  }

  function request() {
    if (!socket?.connected) throw new NowcastError('network', 'The connection is not open.')
    return socket.timeout(ACK_MS)
  }

  function networkReturned() {
    if (!socket?.connected) reconnect()
  }

  function networkLeft() {
    showLost(store.getSnapshot().error)
    // The socket may take a while to notice.
    if (socket?.connected) listener?.lost()
  }

  /** Any packet, also a heartbeat. */
  function heard() {
    heardAt = Date.now()
    // What came in spite of `offline` came from the same machine, or the network is back.
    if (store.getSnapshot().status === 'offline' && socket?.connected) opened()
  }

  function open() {
    const { origin, socketPath } = endpoint()
    socket = io(origin, {
      path: socketPath,
      transports: ['websocket'],
      multiplex: false,
      autoConnect: false,
      reconnectionDelay: 500,
      reconnectionDelayMax: 10_000,
      auth: (send) => void giveToken(send as (auth: { token: string }) => void),
    })
    socket.on('connect', () => {
      socket?.io.engine.off('packet', heard).on('packet', heard)
      heard()
      opened()
    })
    socket.on('disconnect', (reason) => {
      if (reason === 'io client disconnect') return
      showLost(undefined)
      listener?.lost()
      if (reason === 'io server disconnect') backoff.schedule(reconnect)
    })
    socket.on('connect_error', (cause: Error & { data?: unknown }) => {
      if (socket?.active) showLost(new NowcastError('network', cause.message, { cause }))
      else showRefused(errorFromBody(cause.data, 'internal', cause.message), reconnect)
    })
    socket.on('delta', (delta) => listener?.delta(delta))
    socket.on('snapshot', (snapshot) => listener?.snapshot(snapshot))
    socket.on('expired', ({ ids }) => {
      listener?.expired(ids)
      void renewToken()
    })
    globalThis.addEventListener?.('online', networkReturned)
    globalThis.addEventListener?.('offline', networkLeft)
    socket.connect()
  }

  function close() {
    globalThis.removeEventListener?.('online', networkReturned)
    globalThis.removeEventListener?.('offline', networkLeft)
    backoff.reset()
    socket?.disconnect()
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
    isOpen: () => socket?.connected ?? false,
    heardAt: () => heardAt,
    requestSubscribe: async (query) => request().emitWithAck('subscribe', query),
    requestResume: async (id, revision) => request().emitWithAck('resume', { id, revision }),
    unsubscribe(id) {
      if (socket?.connected) socket.emit('unsubscribe', { id })
    },
  }
}
