import { type ClientToServerEvents, LIVE_LIMITS, type LiveError, type ServerToClientEvents } from '@nowcast/protocol'
import type { Logger } from 'pino'
import type { Server, Socket } from 'socket.io'
import { z } from 'zod'
import { NowcastError } from '../errors.ts'
import type { LiveHub, Room } from '../live/live.ts'
import type { QueryStage, Scope } from '../query/query.ts'
import type { Telemetry } from '../telemetry.ts'
import type { VerifiedToken } from './read-token.ts'
import { createRequestBudget, type RequestBudget } from './request-budget.ts'

/** Packets that may wait for a slow reader before it is dropped to snapshots. */
const MOST_WAITING = 64

export interface LiveSocketDependencies {
  hub: LiveHub
  query: QueryStage
  verify(token: string | undefined): Promise<VerifiedToken>
  telemetry: Telemetry
  logger: Logger
  /** @throws NowcastError unless this process serves live questions */
  requireServing(role: 'query'): void
}

/** What is known of one connection. */
export interface Viewer {
  scope: Scope
  expiresAt: number
  /** Its token has expired, and what it had subscribed to has ended. */
  isExpired: boolean
  rooms: Map<string, Room>
  /** Subscriptions that are being made. */
  joining: number
  /** Grows when what was subscribed before has ended. */
  generation: number
  isSlow: boolean
  budget: RequestBudget
}

type Data = { viewer: Viewer }
export type LiveSocket = Socket<ClientToServerEvents, ServerToClientEvents, Record<string, never>, Data>
export type LiveServer = Server<ClientToServerEvents, ServerToClientEvents, Record<string, never>, Data>

const IdRequest = z.object({ id: z.string().max(64) })
const ResumeRequest = z.object({ id: z.string().max(64), revision: z.int().min(0), query: z.unknown().optional() })
const TokenRequest = z.object({ token: z.string().max(8192) })

export function createViewer({ scope, expiresAt }: VerifiedToken): Viewer {
  const none = { isExpired: false, rooms: new Map(), joining: 0, generation: 0, isSlow: false }
  return { scope, expiresAt, budget: createRequestBudget(), ...none }
}

/** Answers what connections ask for. */
export interface ViewerRequests {
  serve(socket: LiveSocket): void
  /** Ends what was subscribed with a token. */
  expire(socket: LiveSocket): void
}

/**
 * One set of listeners for all connections, which find theirs in `this`: closures of thousands of viewers would take more
 * memory than all else that is kept of them here.
 *
 * @param onToken a connection has a token that expires then (epoch ms)
 */
export function createViewerRequests(
  getDependencies: () => LiveSocketDependencies,
  onToken: (expiresAt: number) => void,
): ViewerRequests {
  function join(request: unknown, scope: Scope): Room {
    const { hub, query } = getDependencies()
    return hub.join({ ...query.watchable(request, scope), scope: scopeKey(scope) })
  }

  function enter(socket: LiveSocket, room: Room): void {
    const { viewer } = socket.data
    // An equal question on the same connection shares the subscription.
    if (viewer.rooms.has(room.id)) getDependencies().hub.leave(room)
    viewer.rooms.set(room.id, room)
    // A slow reader hears of it when it has caught up.
    if (!viewer.isSlow) void socket.join(room.id)
  }

  function leave(socket: LiveSocket, room: Room): void {
    socket.data.viewer.rooms.delete(room.id)
    void socket.leave(room.id)
    getDependencies().hub.leave(room)
  }

  function expire(socket: LiveSocket): void {
    const { viewer } = socket.data
    viewer.generation++
    const ids = [...viewer.rooms.keys()]
    for (const room of viewer.rooms.values()) leave(socket, room)
    socket.emit('expired', { ids })
  }

  /** Answers a client's request whatever happens; a request without a callback is none. */
  async function answer<T>(
    socket: LiveSocket,
    ack: unknown,
    work: (reply: (message: T) => void) => Promise<void>,
  ): Promise<void> {
    const taken = socket.data.viewer.budget.take(Date.now())
    if (taken === 'flood') return void socket.disconnect(true)
    if (typeof ack !== 'function') return
    try {
      if (taken === 'refused')
        throw new NowcastError('rate_limited', 'too many requests on one connection: wait a second', {
          retryable: true,
          retryAfterMs: 1000,
        })
      await work((message) => ack(message))
    } catch (error) {
      const known = toKnown(error)
      if (known.code === 'internal') getDependencies().logger.error({ error }, 'a live request failed')
      ack(known.toBody() satisfies LiveError)
    }
  }

  /** Joins a room once it has an answer: in one step the client is told what it holds and hears all that follows. */
  async function take(socket: LiveSocket, room: Room, told: (room: Room) => void): Promise<void> {
    const { viewer } = socket.data
    const { generation } = viewer
    viewer.joining++
    try {
      await room.ready()
      if (!socket.connected) throw new NowcastError('stopping', 'the connection is gone')
      // Meanwhile the token may have expired, or another one may see less.
      if (viewer.generation !== generation)
        throw new NowcastError('expired_token', 'the token was replaced: subscribe again')
    } catch (error) {
      getDependencies().hub.leave(room)
      throw error
    } finally {
      viewer.joining--
    }
    told(room)
    enter(socket, room)
  }

  function onSubscribe(this: LiveSocket, request: unknown, ack: unknown) {
    return answer(this, ack, async (reply) => {
      const { viewer } = this.data
      requireValid(viewer)
      const room = join(request, viewer.scope)
      await take(this, room, () => reply(room.snapshot()))
    })
  }

  function onResume(this: LiveSocket, request: unknown, ack: unknown) {
    return answer(this, ack, async (reply) => {
      const { hub } = getDependencies()
      const { viewer } = this.data
      const { id, revision, query } = parse(ResumeRequest, request)
      const held = viewer.rooms.get(id)
      if (held) return reply(hub.missed(held, revision))
      requireValid(viewer)
      const known = hub.rejoin(id, scopeKey(viewer.scope))
      if (known) return take(this, known, () => reply(hub.missed(known, revision)))
      if (query === undefined) {
        const message = 'this server does not know the subscription: subscribe again, or resume with the query'
        throw new NowcastError('not_found', message, { field: 'id' })
      }
      const room = join(query, viewer.scope)
      await take(this, room, () => reply(room.snapshot()))
    })
  }

  function onUnsubscribe(this: LiveSocket, request: unknown, ack: unknown) {
    return answer(this, ack ?? (() => {}), async (reply) => {
      const { id } = parse(IdRequest, request)
      const room = this.data.viewer.rooms.get(id)
      if (room) leave(this, room)
      reply({ id })
    })
  }

  function onAuthenticate(this: LiveSocket, request: unknown, ack: unknown) {
    return answer(this, ack, async (reply) => {
      const { viewer } = this.data
      const { scope, expiresAt } = await getDependencies().verify(parse(TokenRequest, request).token)
      if (scope.project.id !== viewer.scope.project.id)
        throw new NowcastError('invalid_token', 'the token is of another project: connect anew')
      // Another scope has other answers: what was subscribed with the old one ends.
      if (scopeKey(scope) !== scopeKey(viewer.scope)) expire(this)
      Object.assign(viewer, { scope, expiresAt, isExpired: false })
      onToken(expiresAt)
      reply({ expiresAt })
    })
  }

  function onDisconnect(this: LiveSocket) {
    const { hub, telemetry } = getDependencies()
    const { viewer } = this.data
    for (const room of viewer.rooms.values()) hub.leave(room)
    viewer.rooms.clear()
    telemetry.liveConnections.dec()
  }

  return {
    serve(socket) {
      getDependencies().telemetry.liveConnections.inc()
      socket.on('subscribe', onSubscribe)
      socket.on('resume', onResume)
      socket.on('unsubscribe', onUnsubscribe)
      socket.on('authenticate', onAuthenticate)
      socket.on('disconnect', onDisconnect)
      onToken(socket.data.viewer.expiresAt)
    },
    expire(socket) {
      socket.data.viewer.isExpired = true
      expire(socket)
    },
  }
}

function requireValid({ expiresAt, rooms, joining }: Viewer): void {
  if (Date.now() >= expiresAt)
    throw new NowcastError('expired_token', 'the token has expired: authenticate with a new one')
  if (rooms.size + joining >= LIVE_LIMITS.subscriptions) {
    throw new NowcastError('rate_limited', `a connection holds at most ${LIVE_LIMITS.subscriptions} subscriptions`)
  }
}

/** Takes a reader that cannot keep up out of its rooms, and gives it snapshots when it has caught up. */
export function checkSpeed(socket: LiveSocket, { logger, telemetry }: LiveSocketDependencies): void {
  const { viewer } = socket.data
  const waiting = (socket.conn as unknown as { writeBuffer: unknown[] }).writeBuffer.length
  if (!viewer.isSlow && waiting > MOST_WAITING) {
    viewer.isSlow = true
    for (const id of viewer.rooms.keys()) void socket.leave(id)
    telemetry.liveSlow.inc()
    logger.info({ socket: socket.id, waiting }, 'a slow reader is dropped to snapshots')
  } else if (viewer.isSlow && waiting === 0) {
    viewer.isSlow = false
    for (const room of viewer.rooms.values()) {
      socket.emit('snapshot', room.snapshot())
      void socket.join(room.id)
    }
  }
}

/** An error as clients may hear it. */
export function toKnown(error: unknown): NowcastError {
  return error instanceof NowcastError
    ? error
    : new NowcastError('internal', 'something went wrong on the server: its log says what')
}

function scopeKey({ project, filters, metrics }: Scope): string {
  return JSON.stringify([project.id, Object.entries(filters).sort(), metrics && [...metrics].sort()])
}

function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const field = issue?.path.join('.') || 'request'
  throw new NowcastError('invalid_query', `${field}: ${issue?.message}`, { field })
}
