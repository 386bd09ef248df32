import { timingSafeEqual } from 'node:crypto'
import { Readable } from 'node:stream'
import type { Context, Hono } from 'hono'
import { NowcastError } from '../errors.ts'
import type { ExportFormat, UserDeletion } from '../ports/event-store.ts'
import type { BodyReader } from './read-body.ts'

/** Which events to write out, and how. */
export interface ExportRequest {
  project: string
  format: ExportFormat
  /** Inclusive, epoch ms. @default 0 */
  from?: number
  /** Exclusive, epoch ms. @default now */
  to?: number
  filters?: Record<string, string[]>
}

/** Events of an export, as bytes of a file. */
export interface ExportedEvents {
  events: number
  bytes: AsyncIterable<Uint8Array>
  /** Only hours are kept of the asked time before this one, epoch ms; undefined when events are kept of all of it. */
  since?: number
}

/** Whom to forget. */
export interface DeleteUserRequest {
  project: string
  /** User id or anonymous id. */
  id: string
}

export interface AdminRoutesDependencies {
  /** Known to whoever may read the data directory. */
  key: string
  bodies: BodyReader
  audit(options: { from?: number; to?: number }): Promise<unknown>
  deleteUser(request: DeleteUserRequest, onProgress: (progress: object) => void): Promise<UserDeletion>
  exportEvents(request: ExportRequest, signal?: AbortSignal): Promise<ExportedEvents>
}

const CONTENT_TYPES: Record<ExportFormat, string> = {
  ndjson: 'application/x-ndjson',
  csv: 'text/csv; charset=utf-8',
  parquet: 'application/vnd.apache.parquet',
}

/** `POST /v1/admin/…`, for the command line. */
export function addAdminRoutes(app: Hono, dependencies: AdminRoutesDependencies): void {
  const { key, bodies, audit, deleteUser, exportEvents } = dependencies

  function requireOwner(context: Context): void {
    const given = Buffer.from(context.req.header('authorization') ?? '')
    const expected = Buffer.from(`Bearer ${key}`)
    if (given.length === expected.length && timingSafeEqual(given, expected)) return
    throw new NowcastError('unknown_key', 'this is for the owner of the data directory: use the nowcast command')
  }

  app.post('/v1/admin/audit', async (context) => {
    requireOwner(context)
    const time = (name: string) => {
      const value = context.req.query(name)
      return value === undefined ? undefined : Number(value)
    }
    return context.json((await audit({ from: time('from'), to: time('to') })) as object)
  })

  app.post('/v1/admin/export', async (context) => {
    requireOwner(context)
    const { value } = await bodies.readJson(context)
    const request = value as ExportRequest
    const { events, bytes, since } = await exportEvents(request, context.req.raw.signal)
    context.header('content-type', CONTENT_TYPES[request.format])
    context.header('x-nowcast-events', String(events))
    if (since !== undefined) context.header('x-nowcast-since', String(since))
    return context.body(Readable.toWeb(Readable.from(bytes, { objectMode: false })) as ReadableStream)
  })

  // Lines of JSON: progress, and in the end the result or an error, since the status is sent by then.
  app.post('/v1/admin/delete-user', async (context) => {
    requireOwner(context)
    const { value } = await bodies.readJson(context)
    const encoder = new TextEncoder()
    context.header('content-type', 'application/x-ndjson')
    return context.body(
      new ReadableStream({
        async start(controller) {
          const tell = (line: object) => {
            // Whoever asked may have gone; the deletion goes on.
            if (!context.req.raw.signal.aborted) controller.enqueue(encoder.encode(`${JSON.stringify(line)}\n`))
          }
          try {
            tell({ result: await deleteUser(value as DeleteUserRequest, (progress) => tell({ progress })) })
          } catch (error) {
            const known = error instanceof NowcastError ? error : new NowcastError('internal', (error as Error).message)
            tell(known.toBody())
          }
          if (!context.req.raw.signal.aborted) controller.close()
        },
      }),
    )
  })
}
