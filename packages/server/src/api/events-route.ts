import type { ErrorBody, IngestAnswer } from '@nowcast/protocol'
import type { Context, Hono } from 'hono'
import { type BatchFormat, type Connection, type Ingest, nativeFormat } from '../ingest/ingest.ts'
import { type AdmitSenderDependencies, createAdmitSender } from './admit-sender.ts'
import { preflight, requireOrigin } from './cors.ts'
import type { BodyReader } from './read-body.ts'

export interface EventsRouteDependencies extends AdmitSenderDependencies {
  ingest: Ingest
  bodies: BodyReader
  connectionOf(context: Context): Connection
}

/** `POST /v1/events`. */
export function addEventsRoute(app: Hono, dependencies: EventsRouteDependencies): void {
  const takeBatch = createTakeBatch(dependencies)
  app.options('/v1/events', preflight)
  app.post('/v1/events', async (context) => {
    const answer = await takeBatch(context, nativeFormat, keyOf(context), keyInBody)
    const error = allRejected(answer)
    return error ? context.json({ error, ...answer }, 400) : context.json(answer, 202)
  })
}

/** From a request to the ingest stage's answer, whatever the format of its body. */
export type TakeBatch = (
  context: Context,
  format: BatchFormat,
  key: string | undefined,
  keyIn: (body: unknown) => string | undefined,
) => Promise<IngestAnswer>

export function createTakeBatch(dependencies: EventsRouteDependencies): TakeBatch {
  const { ingest, bodies, connectionOf } = dependencies
  const admit = createAdmitSender(dependencies)
  return (context, format, key, keyIn) => {
    const connection = connectionOf(context)
    // A key outside the body is checked before the body is read.
    const owner = key === undefined ? undefined : admit(key, connection)
    // By `then`: a local variable would keep the events in memory until the log has them.
    return bodies.readJson(context).then(({ value, isPlain }) => {
      const known = owner ?? admit(keyIn(value), connection)
      requireOrigin(context.req.header('origin'), known.project)
      return ingest.accept({ owner: known, body: value, isPlain, connection, format })
    })
  }
}

/** The error of an answer without one good event. */
export function allRejected({ accepted, rejected }: IngestAnswer): ErrorBody['error'] | undefined {
  if (accepted > 0 || rejected.length === 0) return undefined
  return { code: 'all_rejected', message: `every event was rejected; the first: ${rejected[0]?.message}` }
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
