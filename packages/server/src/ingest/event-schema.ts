import { DEVICES, type EventRejectionCode, FIELD_LIMITS, LIMITS } from '@nowcast/protocol'
import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'

/** A field that may be left out or null. */
const maybe = <T extends TSchema>(schema: T) => Type.Optional(Type.Union([schema, Type.Null()]))
const text = (maxLength: number, minLength = 0) => Type.String({ minLength, maxLength })

/** What `navigator.userAgentData` says without being asked for more. */
const UserAgentDataSchema = Type.Object({
  brands: Type.Array(Type.Object({ brand: text(FIELD_LIMITS.browser) }), { maxItems: 16 }),
  mobile: Type.Boolean(),
  platform: text(FIELD_LIMITS.os),
})

const ContextSchema = Type.Object({
  ip: maybe(text(FIELD_LIMITS.ip)),
  userAgent: maybe(text(FIELD_LIMITS.userAgent)),
  userAgentData: maybe(UserAgentDataSchema),
  country: maybe(text(FIELD_LIMITS.country)),
  device: maybe(Type.Union(DEVICES.map((device) => Type.Literal(device)))),
  browser: maybe(text(FIELD_LIMITS.browser)),
  os: maybe(text(FIELD_LIMITS.os)),
  locale: maybe(text(FIELD_LIMITS.locale)),
})

const EventSchema = Type.Object({
  id: maybe(text(FIELD_LIMITS.id, 1)),
  name: text(FIELD_LIMITS.name, 1),
  timestamp: maybe(Type.Union([Type.Number(), Type.String({ maxLength: 40 })])),
  userId: maybe(text(FIELD_LIMITS.userId)),
  anonymousId: maybe(text(FIELD_LIMITS.anonymousId)),
  sessionId: maybe(text(FIELD_LIMITS.sessionId)),
  url: maybe(text(FIELD_LIMITS.url)),
  referrer: maybe(text(FIELD_LIMITS.referrer)),
  title: maybe(text(FIELD_LIMITS.title)),
  category: maybe(text(FIELD_LIMITS.category)),
  revenue: maybe(Type.Union([Type.Number(), Type.String({ maxLength: 40 })])),
  currency: maybe(Type.String({ pattern: '^[A-Z]{3}$' })),
  context: maybe(ContextSchema),
  properties: maybe(Type.Object({})),
})

const SentAtSchema = Type.Number({ exclusiveMinimum: 0, description: 'The client’s clock, epoch ms: corrects skew.' })

/** Body of `POST /v1/events`, for those who write one: what fails is told event by event. */
export const EVENT_BATCH_SCHEMA = Type.Object({
  key: Type.Optional(Type.String({ description: 'The key, where no header can be set.' })),
  sentAt: maybe(SentAtSchema),
  context: maybe(ContextSchema),
  events: Type.Array(EventSchema, { maxItems: LIMITS.batchEvents }),
})

/** An event whose fields have the right types; what they say is not checked yet. */
export type ShapedEvent = Static<typeof EventSchema>
export type ShapedContext = Static<typeof ContextSchema>

const compiledEvent = TypeCompiler.Compile(EventSchema)
const compiledUserAgentData = TypeCompiler.Compile(UserAgentDataSchema)
const compiledContext = TypeCompiler.Compile(ContextSchema)

const compiledSentAt = TypeCompiler.Compile(SentAtSchema)

export const isSentAt = (value: unknown): value is number => compiledSentAt.Check(value)
export const isShapedEvent = (value: unknown): value is ShapedEvent => compiledEvent.Check(value)
export const isUserAgentData = (value: unknown): value is Static<typeof UserAgentDataSchema> =>
  compiledUserAgentData.Check(value)
export const isShapedContext = (value: unknown): value is ShapedContext => compiledContext.Check(value)

export interface ShapeProblem {
  code: EventRejectionCode
  message: string
}

type FieldRule = readonly [code: EventRejectionCode, rule: string]
const upTo = (field: keyof typeof FIELD_LIMITS) => `must be a string of at most ${FIELD_LIMITS[field]} characters`

const RULES: Record<string, FieldRule> = {
  id: ['invalid_id', `must be a string of 1 to ${FIELD_LIMITS.id} characters`],
  name: ['invalid_name', `must be a string of 1 to ${FIELD_LIMITS.name} characters`],
  timestamp: ['invalid_timestamp', 'must be epoch milliseconds or an ISO 8601 string'],
  userId: ['invalid_user', upTo('userId')],
  anonymousId: ['invalid_user', upTo('anonymousId')],
  sessionId: ['invalid_session', upTo('sessionId')],
  url: ['invalid_url', upTo('url')],
  referrer: ['invalid_referrer', upTo('referrer')],
  title: ['invalid_title', upTo('title')],
  category: ['invalid_category', upTo('category')],
  revenue: ['invalid_revenue', 'must be a number or a decimal string'],
  currency: ['invalid_currency', 'must be an ISO 4217 code of three capital letters, like EUR'],
  properties: ['invalid_properties', 'must be a JSON object'],
}

/** What is wrong with an event that {@link isShapedEvent} refuses. */
export function shapeProblem(value: unknown): ShapeProblem {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { code: 'invalid_event', message: 'an event must be a JSON object' }
  }
  const path = compiledEvent.Errors(value).First()?.path.split('/').slice(1) ?? []
  const [field = '', inner] = path
  const rule = RULES[field]
  if (rule) return { code: rule[0], message: `${field} ${rule[1]}` }
  if (field === 'context') return { code: 'invalid_context', message: contextProblem(inner) }
  return { code: 'invalid_event', message: `${field || 'the event'} is not valid` }
}

/** What is wrong with a context that {@link isShapedContext} refuses. */
export function contextShapeProblem(value: unknown): string {
  return contextProblem(compiledContext.Errors(value).First()?.path.split('/')[1])
}

function contextProblem(field: string | undefined): string {
  if (!field) return 'context must be a JSON object'
  if (field === 'device') return `context.device must be one of ${DEVICES.join(', ')}`
  if (field === 'userAgentData')
    return 'context.userAgentData must be { brands, mobile, platform }, as browsers give it'
  const limit = FIELD_LIMITS[field as keyof typeof FIELD_LIMITS]
  return `context.${field} must be a string of at most ${limit} characters`
}
