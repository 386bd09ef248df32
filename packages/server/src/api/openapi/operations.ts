import { type ErrorCode, EVENT_REJECTION_CODES } from '@nowcast/protocol'
import { EVENT_BATCH_SCHEMA } from '../../ingest/ingest.ts'
import { queryJsonSchema } from '../../query/query.ts'
import { SEGMENT_TYPE_BY_PATH } from '../segment-routes.ts'
import { SEGMENT_BATCH, SEGMENT_MESSAGE } from './segment-schemas.ts'

export interface Operation {
  path: string
  method: 'get' | 'post'
  summary: string
  /** Keys of `securitySchemes`, as alternatives; none when it is open to all. */
  security: readonly ('writeKey' | 'secretKey' | 'segmentKey' | 'readToken')[]
  /** Schema and examples of the body. */
  body?: { schema: object; examples: Record<string, unknown> }
  parameters?: readonly object[]
  success: { status: number; description: string; schema?: object }
  /** Codes of errors beside those that any request may have. */
  errors: readonly ErrorCode[]
}

const BODY_ERRORS = ['invalid_json', 'body_too_large', 'unsupported_encoding', 'buffer_full'] as const
const SENDING_ERRORS = [
  ...BODY_ERRORS,
  ...(['invalid_body', 'all_rejected', 'missing_key', 'unknown_key', 'origin_not_allowed', 'too_many_events'] as const),
  ...(['rate_limited', 'log_unavailable'] as const),
]
const TOKEN_ERRORS = ['missing_token', 'invalid_token', 'expired_token', 'origin_not_allowed'] as const

const INGEST_ANSWER = {
  type: 'object',
  required: ['accepted', 'rejected'],
  properties: {
    accepted: { type: 'integer', description: 'Durable events.' },
    rejected: {
      type: 'array',
      items: {
        type: 'object',
        required: ['index', 'code', 'message'],
        properties: {
          index: { type: 'integer', description: 'Place in the batch, from 0.' },
          id: { type: 'string' },
          code: { enum: EVENT_REJECTION_CODES },
          message: { type: 'string' },
        },
      },
    },
  },
}

const EVENTS: Operation = {
  path: '/v1/events',
  method: 'post',
  summary: 'Send events. With 202 the accepted ones are durable; send the same batch again after 429 and 503.',
  security: ['writeKey', 'secretKey'],
  parameters: [
    { name: 'key', in: 'query', schema: { type: 'string' }, description: 'The key, where no header can be set.' },
  ],
  body: {
    schema: EVENT_BATCH_SCHEMA,
    examples: {
      pageView: {
        sentAt: 1767225600000,
        events: [{ id: '01890a5d-ac96-774b-bcce-b302099a8057', name: 'page_view', anonymousId: 'a1', url: '/pricing' }],
      },
      purchase: {
        events: [
          {
            ...{
              id: 'order-1001',
              name: 'purchase',
              userId: 'u1',
              revenue: '19.99',
              currency: 'USD',
              category: 'shoes',
            },
            ...{ properties: { sku: 'S-1' }, context: { locale: 'en-US' } },
          },
        ],
      },
      refund: { events: [{ id: 'refund-1001', name: 'refund', userId: 'u1', revenue: -19.99 }] },
      none: { events: [] },
    },
  },
  success: { status: 202, description: 'Accepted events are durable.', schema: INGEST_ANSWER },
  errors: SENDING_ERRORS,
}

const SEGMENT_EXAMPLES: Record<string, object> = {
  batch: {
    batch: [
      { type: 'track', userId: 'u1', messageId: 'm1', event: 'Product Clicked', properties: { category: 'shoes' } },
      { type: 'identify', userId: 'u1', traits: { plan: 'pro' } },
    ],
    sentAt: '2026-01-01T00:00:00.000Z',
  },
  track: { userId: 'u1', messageId: 'm2', event: 'Order Completed', properties: { revenue: 19.99, currency: 'USD' } },
  page: { anonymousId: 'a1', messageId: 'm3', name: 'Home', properties: { url: 'https://shop.example/' } },
  screen: { userId: 'u1', messageId: 'm4', name: 'Cart' },
  identify: { userId: 'u1', traits: { plan: 'pro' } },
  group: { userId: 'u1', groupId: 'g1' },
  alias: { userId: 'u1', previousId: 'a1' },
}

const SEGMENT: Operation[] = Object.entries(SEGMENT_TYPE_BY_PATH).map(([path, type]) => {
  const name = path.slice('/v1/'.length)
  const whose = name === 'import' ? 'SDKs for Ruby, Java and Android send' : 'browser SDK sends'
  return {
    path,
    method: 'post',
    summary: `Segment's ${type}${name === type ? '' : `, as its ${whose} it`}.`,
    security: ['segmentKey', 'writeKey', 'secretKey'],
    body: { schema: type === 'batch' ? SEGMENT_BATCH : SEGMENT_MESSAGE, examples: { [type]: SEGMENT_EXAMPLES[type] } },
    success: { status: 200, description: 'Accepted messages are durable.', schema: INGEST_ANSWER },
    errors: SENDING_ERRORS,
  }
})

const SETTINGS: Operation = {
  path: '/v1/projects/{key}/settings',
  method: 'get',
  summary: 'What Segment’s browser SDK asks for first.',
  security: [],
  parameters: [{ name: 'key', in: 'path', required: true, schema: { type: 'string' }, description: 'The write key.' }],
  success: { status: 200, description: 'Settings of Segment’s SDK.', schema: { type: 'object' } },
  errors: ['unknown_key'],
}

const QUERY: Operation = {
  path: '/v1/query',
  method: 'post',
  summary: 'Ask a question.',
  security: ['readToken'],
  body: {
    schema: queryJsonSchema(),
    examples: {
      series: { kind: 'series', metric: 'revenue', granularity: 'hour', range: { last: '24h' }, breakdown: 'country' },
      total: { kind: 'total', metric: 'active_users', range: { last: '5m' }, filters: { country: ['US', 'DE'] } },
      breakdown: { kind: 'breakdown', metric: 'events', breakdown: 'device', limit: 5 },
      funnel: { kind: 'funnel', steps: [{ name: 'page_view' }, { name: 'purchase' }], window: '30m' },
      recent: { kind: 'recent', limit: 10 },
      overview: { kind: 'overview' },
    },
  },
  success: {
    status: 200,
    description: 'The answer; its shape follows its kind.',
    schema: { type: 'object', required: ['kind', 'metric', 'asOf', 'approximate', 'tookMs'] },
  },
  errors: [
    ...BODY_ERRORS,
    ...TOKEN_ERRORS,
    ...(['invalid_query', 'query_too_large', 'metric_not_allowed', 'archive_unavailable'] as const),
    ...(['hot_store_unavailable', 'query_timeout', 'not_supported'] as const),
  ],
}

const REJECTED: Operation = {
  path: '/v1/rejected',
  method: 'get',
  summary: 'Refused events of the last week, newest first.',
  security: ['readToken', 'secretKey'],
  parameters: [
    {
      name: 'project',
      in: 'query',
      schema: { type: 'string' },
      description: 'Must be the token’s, where it is given.',
    },
    { name: 'limit', in: 'query', schema: { type: 'integer', minimum: 1, maximum: 1000, default: 100 } },
  ],
  success: {
    status: 200,
    description: 'Refused events.',
    schema: {
      type: 'object',
      required: ['project', 'rejected'],
      properties: {
        project: { type: 'string' },
        rejected: {
          type: 'array',
          items: {
            type: 'object',
            required: ['receivedAt', 'code', 'message', 'index', 'event'],
            properties: {
              receivedAt: { type: 'integer', description: 'Epoch ms.' },
              code: { enum: EVENT_REJECTION_CODES },
              message: { type: 'string' },
              index: { type: 'integer' },
              event: { type: 'string', description: 'The event as JSON, or the part of it that is wrong.' },
            },
          },
        },
      },
    },
  },
  errors: [...TOKEN_ERRORS, 'not_allowed', 'invalid_query', 'archive_unavailable', 'not_supported'],
}

const PROJECT: Operation = {
  path: '/v1/project',
  method: 'get',
  summary: 'The project; for who sees all of it, with the write key that browsers send with.',
  security: ['readToken', 'secretKey'],
  success: {
    status: 200,
    description: 'The project; never its secret key.',
    schema: {
      type: 'object',
      required: ['id', 'name', 'timezone', 'currency'],
      properties: {
        id: { type: 'string' },
        name: { type: 'string' },
        timezone: { type: 'string', description: 'IANA.' },
        currency: { type: 'string', description: 'ISO 4217.' },
        writeKey: { type: 'string', description: 'Missing for a token with filters or metrics.' },
      },
    },
  },
  errors: [...TOKEN_ERRORS, 'not_allowed'],
}

/** Everything that is asked from outside; the paths of the command line are its own. */
export const OPERATIONS: readonly Operation[] = [EVENTS, ...SEGMENT, SETTINGS, QUERY, REJECTED, PROJECT]
