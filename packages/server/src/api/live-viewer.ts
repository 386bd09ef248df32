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
/** Longest time of one timer, ms. */
const MOST_TIMER_MS = 2 ** 31 - 1

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
  rooms: Map<string, Room>
  /** Subscriptions that are being made. */
  joining: number
  /** Grows when what was subscribed before has ended. */
  generation: number
  isSlow: boolean
  budget: RequestBudget
  timer: NodeJS.Timeout | undefined
}

type Data = { viewer: Viewer }
export type LiveSocket = Socket<ClientToServerEvents, ServerToClientEvents, Record<string, never>, Data>
export type LiveServer = Server<ClientToServerEvents, ServerToClientEvents, Record<string, never>, Data>

const IdRequest = z.object({ id: z.string().max(64) })
const ResumeRequest = z.object({ id: z.string().max(64), revision: z.int().min(0) })
const TokenRequest = z.object({ token: z.string().max(8192) })

export function createViewer({ scope, expiresAt }: VerifiedToken): Viewer {
  const budget = createRequestBudget()
  const none = { rooms: new Map(), joining: 0, generation: 0, isSlow: false, timer: undefined }
  return { scope, expiresAt, budget, ...none }
}

/** Answers what a connection asks for. */
export function serveViewer(socket: LiveSocket, dependencies: LiveSocketDependencies): void {
  const { hub, query, verify, telemetry, logger } = dependencies
  const { viewer } = socket.data
  telemetry.liveConnections.inc()

  function enter(room: Room): void {
    // An equal question on the same connection shares the subscription.
    if (viewer.rooms.has(room.id)) hub.leave(room)
    viewer.rooms.set(room.id, room)
    // A slow reader hears of it when it has caught up.
    if (!viewer.isSlow) void socket.join(room.id)
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
    viewer.generation++
    const ids = [...viewer.rooms.keys()]
    for (const room of viewer.rooms.values()) leave(room)
    socket.emit('expired', { ids })
  }

  /** Answers a client's request whatever happens; a request without a callback is none. */
  async function answer<T>(ack: unknown, work: (reply: (message: T) => void) => Promise<void>): Promise<void> {
    const taken = viewer.budget.take(Date.now())
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
      if (known.code === 'internal') logger.error({ error }, 'a live request failed')
      ack(known.toBody() satisfies LiveError)
    }
  }

  function requireValid(): void {
    if (Date.now() >= viewer.expiresAt)
      throw new NowcastError('expired_token', 'the token has expired: authenticate with a new one')
    if (viewer.rooms.size + viewer.joining >= LIVE_LIMITS.subscriptions) {
      throw new NowcastError('rate_limited', `a connection holds at most ${LIVE_LIMITS.subscriptions} subscriptions`)
    }
  }

  /** Joins a room once it has an answer: in one step the client is told what it holds and hears all that follows. */
  async function take(room: Room, told: (room: Room) => void): Promise<void> {
    const { generation } = viewer
    viewer.joining++
    try {
      await room.ready()
      if (!socket.connected) throw new NowcastError('stopping', 'the connection is gone')
      // Meanwhile the token may have expired, or another one may see less.
      if (viewer.generation !== generation)
        throw new NowcastError('expired_token', 'the token was replaced: subscribe again')
    } catch (error) {
      hub.leave(room)
      throw error
    } finally {
      viewer.joining--
    }
    told(room)
    enter(room)
  }

  socket.on('subscribe', (request, ack) =>
    answer(ack, async (reply) => {
      requireValid()
      const room = hub.join({ ...query.watchable(request, viewer.scope), scope: scopeKey(viewer.scope) })
      await take(room, () => reply(room.snapshot()))
    }),
  )
  socket.on('resume', (request, ack) =>
    answer(ack, async (reply) => {
      const { id, revision } = parse(ResumeRequest, request)
      const held = viewer.rooms.get(id)
      if (held) return reply(hub.missed(held, revision))
      requireValid()
      const room = hub.rejoin(id, scopeKey(viewer.scope))
      await take(room, () => reply(hub.missed(room, revision)))
    }),
  )
  socket.on('unsubscribe', (request, ack) =>
    answer(ack ?? (() => {}), async (reply) => {
      const { id } = parse(IdRequest, request)
      const room = viewer.rooms.get(id)
      if (room) leave(room)
      reply({ id })
    }),
  )
  socket.on('authenticate', (request, ack) =>
    answer(ack, async (reply) => {
      const { scope, expiresAt } = await verify(parse(TokenRequest, request).token)
      if (scope.project.id !== viewer.scope.project.id)
        throw new NowcastError('invalid_token', 'the token is of another project: connect anew')
      // Another scope has other answers: what was subscribed with the old one ends.
      if (scopeKey(scope) !== scopeKey(viewer.scope)) expire()
      viewer.scope = scope
      viewer.expiresAt = expiresAt
      expireLater()
      reply({ expiresAt })
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
