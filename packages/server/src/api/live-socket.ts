import type { Server as HttpServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { Server } from 'socket.io'
import { Decoder } from 'socket.io-parser'
import type { RoomMessage } from '../live/live.ts'
import { requireOrigin } from './cors.ts'
import { countingEncoder } from './counting-encoder.ts'
import { createExpiryAlarm } from './expiry-alarm.ts'
import {
  checkSpeed,
  createViewer,
  createViewerRequests,
  type LiveServer,
  type LiveSocket,
  type LiveSocketDependencies,
  toKnown,
} from './live-viewer.ts'
import { OneWriteAdapter } from './one-write-adapter.ts'

const SLOW_CHECK_MS = 1000
/** In how many parts, and how long after each other, viewers are sent to other nodes: not all come there at once. */
const LEAVING_PARTS = 20
const LEAVING_PAUSE_MS = 50

/** The Socket.IO side of live questions. */
export interface LiveSockets {
  /** Serves live questions on an HTTP server at a path. */
  attach(server: HttpServer, path: string): void
  /** Sends a message to a room's viewers, encoded once. */
  broadcast(roomId: string, message: RoomMessage): void
  /** Refuses new viewers and closes the connections of the others, who connect again by themselves. */
  stop(): Promise<void>
}

/** Sockets for one or more HTTP servers. */
export function createLiveSockets(getDependencies: () => LiveSocketDependencies): LiveSockets {
  const servers: LiveServer[] = []
  let slowTimer: NodeJS.Timeout | undefined
  let isStopping = false
  const alarm = createExpiryAlarm(endExpired)
  const requests = createViewerRequests(getDependencies, alarm.add)

  function* sockets(): Iterable<LiveSocket> {
    for (const server of servers) yield* server.sockets.sockets.values()
  }

  function endExpired(now: number): number {
    let next = Number.POSITIVE_INFINITY
    for (const socket of sockets()) {
      const { viewer } = socket.data
      if (viewer.isExpired) continue
      if (viewer.expiresAt <= now) requests.expire(socket)
      else next = Math.min(next, viewer.expiresAt)
    }
    return next
  }

  function whyNotServing(): string | null {
    if (isStopping) return 'this server is stopping'
    try {
      getDependencies().requireServing('query')
      return null
    } catch (error) {
      return (error as Error).message
    }
  }

  function attach(httpServer: HttpServer, path: string): void {
    const io: LiveServer = new Server(httpServer, {
      path,
      transports: ['websocket'],
      perMessageDeflate: false,
      serveClient: false,
      pingInterval: 10_000,
      pingTimeout: 5000,
      maxHttpBufferSize: 64 * 1024,
      // Who does not say who they are goes again.
      connectTimeout: 10_000,
      cors: { origin: '*' },
      // Refused so, and not by an error on the socket, clients come back by themselves.
      allowRequest: (_request, decide) => {
        const refusal = whyNotServing()
        decide(refusal, refusal === null)
      },
      adapter: OneWriteAdapter,
      parser: { Encoder: countingEncoder((bytes) => getDependencies().telemetry.liveBytes.inc(bytes)), Decoder },
    })
    servers.push(io)
    io.use(async (socket, next) => {
      const { verify } = getDependencies()
      try {
        const token = await verify(tokenOf(socket.handshake.auth))
        requireOrigin(socket.handshake.headers.origin, token.scope.project)
        socket.data.viewer = createViewer(token)
        next()
      } catch (error) {
        const known = toKnown(error)
        next(Object.assign(new Error(known.message), { data: { code: known.code, message: known.message } }))
      }
    })
    io.on('connection', (socket) => {
      forgetRequest(socket)
      requests.serve(socket)
    })
    slowTimer ??= setInterval(() => {
      for (const socket of sockets()) checkSpeed(socket, getDependencies())
    }, SLOW_CHECK_MS)
    slowTimer.unref()
  }

  return {
    attach,
    broadcast(roomId, { event, message }) {
      for (const io of servers) {
        if (event === 'delta') io.to(roomId).emit('delta', message)
        else io.to(roomId).emit('snapshot', message)
      }
    },
    async stop() {
      isStopping = true
      clearInterval(slowTimer)
      alarm.stop()
      await Promise.all(servers.map(leave))
    },
  }
}

/** Closes connections without a word of farewell: clients that were told to go would not come back by themselves. */
async function leave(io: LiveServer): Promise<void> {
  const sockets = [...io.sockets.sockets.values()]
  const part = Math.ceil(sockets.length / LEAVING_PARTS)
  for (let i = 0; i < sockets.length; i += part) {
    for (const socket of sockets.slice(i, i + part)) socket.conn.close()
    if (i + part < sockets.length) await sleep(LEAVING_PAUSE_MS)
  }
  // Not `io.close`: the HTTP server is the host's.
  io.engine.close()
}

const FORGOTTEN = Object.freeze({})

/**
 * The request of the handshake, with its token: nobody asks for it again, and there are thousands of viewers. Engine.IO
 * holds the object until the connection ends, so that it is emptied.
 */
function forgetRequest({ conn, handshake }: LiveSocket): void {
  const { request } = conn
  for (const key of Reflect.ownKeys(request)) Reflect.set(request, key, undefined)
  Object.assign(conn, { request: undefined })
  Object.assign(handshake, { headers: FORGOTTEN, auth: FORGOTTEN, query: FORGOTTEN, time: '', url: '' })
}

function tokenOf(auth: unknown): string | undefined {
  const token = (auth as { token?: unknown } | undefined)?.token
  return typeof token === 'string' ? token : undefined
}
