import type { Server as HttpServer } from 'node:http'
import { type ClientToServerEvents, LIVE_LIMITS, type LiveError, type ServerToClientEvents } from '@nowcast/protocol'
import type { Logger } from 'pino'
import { Server, type Socket } from 'socket.io'
import { z } from 'zod'
import { NowcastError } from '../errors.ts'
import type { LiveHub, Room, RoomMessage } from '../live/live.ts'
import type { QueryStage, Scope } from '../query/query.ts'
import type { Telemetry } from '../telemetry.ts'
import { requireOrigin } from './cors.ts'
import type { VerifiedToken } from './read-token.ts'

/** Packets that may wait for a slow reader before it is dropped to snapshots. */
const MOST_WAITING = 64
const SLOW_CHECK_MS = 1000
/** Longest time of one timer, ms. */
const MOST_TIMER_MS = 2 ** 31 - 1

interface Viewer {
  scope: Scope
  expiresAt: number
  rooms: Map<string, Room>
  isSlow: boolean
  timer: NodeJS.Timeout | undefined
}

type LiveSocket = Socket<ClientToServerEvents, ServerToClientEvents, Record<string, never>, { viewer: Viewer }>
type LiveServer = Server<ClientToServerEvents, ServerToClientEvents, Record<string, never>, { viewer: Viewer }>

export interface LiveSocketDependencies {
  hub: LiveHub
  query: QueryStage
  verify(token: string | undefined): Promise<VerifiedToken>
  telemetry: Telemetry
  logger: Logger
  /** @throws NowcastError unless this process serves live questions */
  requireServing(role: 'query'): void
}

/** The Socket.IO side of live questions. */
export interface LiveSockets {
  /** Serves live questions on an HTTP server at a path. */
  attach(server: HttpServer, path: string): void
  /** Sends a message to a room's viewers, encoded once. */
  broadcast(roomId: string, message: RoomMessage): void
  stop(): Promise<void>
}

const IdRequest = z.object({ id: z.string().max(64) })
const ResumeRequest = z.object({ id: z.string().max(64), revision: z.int().min(0) })
const TokenRequest = z.object({ token: z.string().max(8192) })

/** Sockets for one or more HTTP servers. */
export function createLiveSockets(getDependencies: () => LiveSocketDependencies): LiveSockets {
  const servers: LiveServer[] = []
  let slowTimer: NodeJS.Timeout | undefined

  function attach(httpServer: HttpServer, path: string): void {
    const io: LiveServer = new Server(httpServer, {
      path,
      transports: ['websocket'],
      perMessageDeflate: false,
      serveClient: false,
      pingInterval: 10_000,
      pingTimeout: 5000,
      maxHttpBufferSize: 64 * 1024,
      cors: { origin: '*' },
    })
    servers.push(io)
    io.use(async (socket, next) => {
      const { verify, requireServing } = getDependencies()
      try {
        requireServing('query')
        const { scope, expiresAt } = await verify(tokenOf(socket.handshake.auth))
        requireOrigin(socket.handshake.headers.origin, scope.project)
        socket.data.viewer = { scope, expiresAt, rooms: new Map(), isSlow: false, timer: undefined }
        next()
      } catch (error) {
        const known = toKnown(error)
        next(Object.assign(new Error(known.message), { data: { code: known.code, message: known.message } }))
      }
    })
    io.on('connection', (socket) => serve(socket, getDependencies()))
    slowTimer ??= setInterval(() => {
      for (const server of servers)
        for (const socket of server.sockets.sockets.values()) checkSpeed(socket, getDependencies())
    }, SLOW_CHECK_MS)
    slowTimer.unref()
  }

  return {
    attach,
    broadcast(roomId, { event, message }) {
      getDependencies().telemetry.liveBytes.inc(JSON.stringify(message).length)
      for (const io of servers) {
        if (event === 'delta') io.to(roomId).emit('delta', message)
        else io.to(roomId).emit('snapshot', message)
      }
    },
    async stop() {
      clearInterval(slowTimer)
      await Promise.all(servers.map((io) => io.close()))
    },
  }
}

function serve(socket: LiveSocket, dependencies: LiveSocketDependencies): void {
  const { hub, query, verify, telemetry, logger } = dependencies
  const { viewer } = socket.data
  telemetry.liveConnections.inc()

  function enter(room: Room): void {
    // An equal question on the same connection shares the subscription.
    if (viewer.rooms.has(room.id)) hub.leave(room)
    viewer.rooms.set(room.id, room)
    void socket.join(room.id)
  }

  function leave(room: Room): void {
    viewer.rooms.delete(room.id)
    void socket.leave(room.id)
    hub.leave(room)
  }

  function expireLater(): void {
    clearTimeout(viewer.timer)
    const wait = viewer.expiresAt - Date.now()
    viewer.timer = setTimeout(
      () => (wait > MOST_TIMER_MS ? expireLater() : expire()),
      Math.max(0, Math.min(wait, MOST_TIMER_MS)),
    )
  }

  function expire(): void {
    const ids = [...viewer.rooms.keys()]
    for (const room of viewer.rooms.values()) leave(room)
    socket.emit('expired', { ids })
  }

  /** Answers a client's request whatever happens; a request without a callback is none. */
  async function answer<T>(ack: unknown, work: () => Promise<T>): Promise<void> {
    if (typeof ack !== 'function') return
    try {
      ack(await work())
    } catch (error) {
      const known = toKnown(error)
      if (known.code === 'internal') logger.error({ error }, 'a live request failed')
      ack(known.toBody() satisfies LiveError)
    }
  }

  function requireValid(): void {
    if (Date.now() >= viewer.expiresAt)
      throw new NowcastError('expired_token', 'the token has expired: authenticate with a new one')
    if (viewer.rooms.size >= LIVE_LIMITS.subscriptions) {
      throw new NowcastError('rate_limited', `a connection holds at most ${LIVE_LIMITS.subscriptions} subscriptions`)
    }
  }

  socket.on('subscribe', (request, ack) =>
    answer(ack, async () => {
      requireValid()
      const room = hub.join({ ...query.watchable(request, viewer.scope), scope: scopeKey(viewer.scope) })
      try {
        const snapshot = await room.snapshot()
        if (!socket.connected) throw new NowcastError('stopping', 'the connection is gone')
        enter(room)
        // What changed while the socket joined is in this later snapshot.
        return snapshot.revision === room.revision ? snapshot : await room.snapshot()
      } catch (error) {
        hub.leave(room)
        throw error
      }
    }),
  )
  socket.on('resume', (request, ack) =>
    answer(ack, async () => {
      const { id, revision } = parse(ResumeRequest, request)
      const held = viewer.rooms.get(id)
      if (!held) requireValid()
      const room = held ?? hub.rejoin(id, scopeKey(viewer.scope))
      if (!held) enter(room)
      return hub.missed(room, revision)
    }),
  )
  socket.on('unsubscribe', (request, ack) =>
    answer(ack ?? (() => {}), async () => {
      const { id } = parse(IdRequest, request)
      const room = viewer.rooms.get(id)
      if (room) leave(room)
      return { id }
    }),
  )
  socket.on('authenticate', (request, ack) =>
    answer(ack, async () => {
      const { scope, expiresAt } = await verify(parse(TokenRequest, request).token)
      // Another scope has other answers: what was subscribed with the old one ends.
      if (scopeKey(scope) !== scopeKey(viewer.scope)) expire()
      viewer.scope = scope
      viewer.expiresAt = expiresAt
      expireLater()
      return { expiresAt }
    }),
  )
  socket.on('disconnect', () => {
    clearTimeout(viewer.timer)
    for (const room of viewer.rooms.values()) hub.leave(room)
    viewer.rooms.clear()
    telemetry.liveConnections.dec()
  })
  expireLater()
}

/** Takes a reader that cannot keep up out of its rooms, and gives it snapshots when it has caught up. */
function checkSpeed(socket: LiveSocket, { logger }: LiveSocketDependencies): void {
  const { viewer } = socket.data
  const waiting = (socket.conn as unknown as { writeBuffer: unknown[] }).writeBuffer.length
  if (!viewer.isSlow && waiting > MOST_WAITING) {
    viewer.isSlow = true
    for (const id of viewer.rooms.keys()) void socket.leave(id)
    logger.info({ socket: socket.id, waiting }, 'a slow reader is dropped to snapshots')
  } else if (viewer.isSlow && waiting === 0) {
    viewer.isSlow = false
    for (const room of viewer.rooms.values()) {
      void socket.join(room.id)
      void room.snapshot().then((snapshot) => socket.emit('snapshot', snapshot))
    }
  }
}

function tokenOf(auth: unknown): string | undefined {
  const token = (auth as { token?: unknown } | undefined)?.token
  return typeof token === 'string' ? token : undefined
}

function scopeKey({ project, filters, metrics }: Scope): string {
  return JSON.stringify([project.id, Object.entries(filters).sort(), metrics && [...metrics].sort()])
}

function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new NowcastError('invalid_query', `${issue?.path.join('.')}: ${issue?.message}`, {
    field: issue?.path.join('.'),
  })
}

function toKnown(error: unknown): NowcastError {
  return error instanceof NowcastError
    ? error
    : new NowcastError('internal', 'something went wrong on the server: its log says what')
}
