import { ERROR_STATUS, type ErrorCode } from '@nowcast/protocol'
import type { Hono } from 'hono'
import { OPERATIONS, type Operation } from './operations.ts'

/** What may go wrong with any request. */
const ANYWHERE: readonly ErrorCode[] = ['internal', 'stopping', 'wrong_role']
/** Segment's SDKs drop what is answered with 400, and send again, some for ever, after other errors. */
const NEVER_AGAIN = 413

const SECURITY = {
  writeKey: { type: 'http', scheme: 'bearer', description: 'Public: country and device come from the connection.' },
  secretKey: { type: 'http', scheme: 'bearer', description: 'For servers: country and device come from the context.' },
  segmentKey: { type: 'http', scheme: 'basic', description: 'The write key or secret key as user name.' },
  readToken: { type: 'http', scheme: 'bearer', description: 'A JWT made by `nowcast token` or createReadToken().' },
}

/** `GET /v1/openapi.json`: what can be asked, from the schemas that check it. */
export function addOpenapiRoute(app: Hono): void {
  app.get('/v1/openapi.json', (context) => {
    const mountedAt = context.req.path.slice(0, -'/v1/openapi.json'.length)
    return context.json(openapiDocument(mountedAt || '/'))
  })
}

function openapiDocument(serverUrl: string): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const operation of OPERATIONS) {
    paths[operation.path] = { ...paths[operation.path], [operation.method]: describe(operation) }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Nowcast', version: '1', description: 'Send events, ask questions.' },
    servers: [{ url: serverUrl }],
    paths,
    components: { securitySchemes: SECURITY, schemas: { Error: errorSchema() } },
  }
}

function describe({ path, summary, security, body, parameters, success, errors }: Operation): object {
  return {
    summary,
    operationId: path.replace(/^\/v1\//, '').replace(/\W+(\w?)/g, (_, letter: string) => letter.toUpperCase()),
    ...(security.length > 0 && { security: security.map((name) => ({ [name]: [] })) }),
    ...(parameters && { parameters }),
    ...(body && {
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: body.schema,
            examples: Object.fromEntries(Object.entries(body.examples).map(([name, value]) => [name, { value }])),
          },
        },
      },
    }),
    responses: {
      [success.status]: {
        description: success.description,
        ...(success.schema && { content: { 'application/json': { schema: success.schema } } }),
      },
      ...errorResponses([...errors, ...ANYWHERE], security.includes('segmentKey')),
    },
  }
}

function errorResponses(codes: readonly ErrorCode[], isSegment: boolean): Record<string, object> {
  const byStatus = new Map<number, ErrorCode[]>()
  for (const code of new Set(codes)) {
    const status = isSegment && ERROR_STATUS[code] === NEVER_AGAIN ? 400 : ERROR_STATUS[code]
    byStatus.set(status, [...(byStatus.get(status) ?? []), code])
  }
  const schema = { $ref: '#/components/schemas/Error' }
  return Object.fromEntries(
    Array.from(byStatus, ([status, ofStatus]) => [
      status,
      {
        description: ofStatus.join(', '),
        ...((status === 429 || status === 503) && {
          headers: { 'Retry-After': { schema: { type: 'integer' }, description: 'Seconds.' } },
        }),
        content: { 'application/json': { schema } },
      },
    ]),
  )
}

function errorSchema(): object {
  return {
    type: 'object',
    required: ['error'],
    properties: {
      error: {
        type: 'object',
        required: ['code', 'message'],
        properties: {
          code: { enum: Object.keys(ERROR_STATUS) },
          message: { type: 'string', description: 'What is wrong and what to do.' },
          field: { type: 'string', description: 'The field that is wrong, where there is one.' },
        },
      },
    },
  }
}
