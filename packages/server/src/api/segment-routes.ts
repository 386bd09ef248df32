import type { Context, Hono } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { NowcastError } from '../errors.ts'
import { createSegmentFormat, type SegmentType } from '../ingest/ingest.ts'
import { preflight } from './cors.ts'
import { allRejected, createTakeBatch, type EventsRouteDependencies } from './events-route.ts'
import { segmentSettings } from './segment-settings.ts'

/** Segment's paths; the browser and app SDKs use the short ones, those for Ruby, Java and older Android `import`. */
export const SEGMENT_TYPE_BY_PATH: Record<string, SegmentType | 'batch'> = {
  '/v1/batch': 'batch',
  '/v1/import': 'batch',
  '/v1/track': 'track',
  '/v1/page': 'page',
  '/v1/screen': 'screen',
  '/v1/identify': 'identify',
  '/v1/group': 'group',
  '/v1/alias': 'alias',
  '/v1/b': 'batch',
  '/v1/t': 'track',
  '/v1/p': 'page',
  '/v1/s': 'screen',
  '/v1/i': 'identify',
  '/v1/g': 'group',
  '/v1/a': 'alias',
}
export const SEGMENT_PATHS = Object.keys(SEGMENT_TYPE_BY_PATH)

/**
 * Segment's HTTP API, so that its SDKs work unchanged. They take 2xx for delivered, drop what is answered with 400,
 * and send again after 429 and 5xx; some also after every other 4xx, for ever. So what can never succeed is a 400.
 */
export function addSegmentRoutes(app: Hono, dependencies: EventsRouteDependencies): void {
  const takeBatch = createTakeBatch(dependencies)
  for (const [path, type] of Object.entries(SEGMENT_TYPE_BY_PATH)) {
    const format = createSegmentFormat(type)
    app.options(path, preflight)
    app.post(path, async (context) => {
      try {
        const answer = await takeBatch(context, format, keyOf(context), keyInBody)
        const error = allRejected(answer)
        return error
          ? context.json({ success: false, error, ...answer }, 400)
          : context.json({ success: true, ...answer }, 200)
      } catch (error) {
        if (error instanceof NowcastError && error.status === 413) return neverAgain(context, error)
        throw error
      }
    })
  }
  app.get('/v1/projects/:key/settings', (context) => {
    const owner = dependencies.ownerOf(context.req.param('key'))
    if (owner?.kind !== 'write') {
      const message = owner
        ? 'the secret key is not for pages: load Segment’s SDK with the write key'
        : 'this key belongs to no project of this server'
      throw new NowcastError('unknown_key', message)
    }
    context.header('cache-control', 'private, max-age=300')
    return context.json(segmentSettings(owner.project.writeKey, new URL(context.req.url), context.req.header()))
  })
}

function neverAgain(context: Context, error: NowcastError): Response {
  return context.json(error.toBody(), 400 as ContentfulStatusCode)
}

/** The user name of Basic auth, or a Bearer token. */
function keyOf(context: Context): string | undefined {
  const header = context.req.header('authorization')
  if (!header) return context.req.query('writeKey') ?? context.req.query('key')
  const [, scheme = '', credentials = ''] = /^(\S+)\s+(\S+)$/.exec(header) ?? []
  if (scheme.toLowerCase() === 'bearer') return credentials
  if (scheme.toLowerCase() !== 'basic') return ''
  return Buffer.from(credentials, 'base64').toString('utf8').split(':', 1)[0]
}

function keyInBody(body: unknown): string | undefined {
  const { writeKey, key } = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>
  return typeof writeKey === 'string' ? writeKey : typeof key === 'string' ? key : undefined
}
