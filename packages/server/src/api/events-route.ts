import type { ErrorBody } from '@nowcast/protocol'
import type { Context, Hono } from 'hono'
import { NowcastError } from '../errors.ts'
import type { Connection, Ingest, KeyOwner } from '../ingest/ingest.ts'
import type { Clock } from '../ports/clock.ts'
import { isLoopback } from './connection-of.ts'
import { allowCors, preflight, requireOrigin } from './cors.ts'
import type { RateLimit } from './rate-limit.ts'
import type { BodyReader } from './read-body.ts'

export interface EventsRouteDependencies {
  ingest: Ingest
  ownerOf(key: string): KeyOwner | undefined
  bodies: BodyReader
  rateLimit: RateLimit
  connectionOf(context: Context): Connection
  clock: Clock
}

/** `POST /v1/events`. */
export function addEventsRoute(app: Hono, dependencies: EventsRouteDependencies): void {
  const { ingest, ownerOf, bodies, rateLimit, connectionOf, clock } = dependencies

  function requireOwner(key: string | undefined): KeyOwner {
    if (!key)
      throw new NowcastError('missing_key', 'a key is needed: Authorization: Bearer <key>, ?key= or "key" in the body')
    const owner = ownerOf(key)
    if (!owner) throw new NowcastError('unknown_key', 'this key belongs to no project of this server')
    return owner
  }

  function requireRate(owner: KeyOwner, connection: Connection): void {
    if (owner.kind === 'secret' || isLoopback(connection.ip)) return
    rateLimit.take(owner.project.id, connection.ip ?? '', clock.now())
  }

  app.options('/v1/events', preflight)
  app.post('/v1/events', async (context) => {
    allowCors(context)
    const connection = connectionOf(context)
    // A key outside the body is checked before the body is read.
    const early = keyOf(context)
    const owner = early === undefined ? undefined : requireOwner(early)
    if (owner) requireRate(owner, connection)
    // By `then`: a local variable would keep the events in memory until the log has them.
    const answer = await bodies.readJson(context).then(({ value, isPlain }) => {
      const known = owner ?? requireOwner(keyInBody(value))
      if (!owner) requireRate(known, connection)
      requireOrigin(context.req.header('origin'), known.project)
      return ingest.accept({ owner: known, body: value, isPlain, connection })
    })
    if (answer.accepted === 0 && answer.rejected.length > 0) {
      const error: ErrorBody['error'] = {
        code: 'all_rejected',
        message: `every event was rejected; the first: ${answer.rejected[0]?.message}`,
      }
      return context.json({ error, ...answer }, 400)
    }
    return context.json(answer, 202)
  })
}

function keyOf(context: Context): string | undefined {
  const header = context.req.header('authorization')
  if (header) return /^Bearer\s+(\S+)$/i.exec(header)?.[1] ?? ''
  return context.req.query('key')
}

function keyInBody(body: unknown): string | undefined {
  const key = typeof body === 'object' && body !== null ? (body as { key?: unknown }).key : undefined
  return typeof key === 'string' ? key : undefined
}
