import { createHash } from 'node:crypto'
import { FIELD_LIMITS } from '@nowcast/protocol'
import { NowcastError } from '../../errors.ts'
import { isShapedEvent, type ShapedEvent, shapeProblem } from '../event-schema.ts'
import { parseTimestamp } from '../event-time.ts'
import { type BatchFormat, type Envelope, RefusedItem } from './batch-format.ts'
import { requireBatchSize } from './native.ts'
import { toContext, toPageFields } from './segment-context.ts'
import { isObject, type JsonObject, numberAsText } from './segment-json.ts'
import { trackFields, withoutPageFields } from './segment-properties.ts'

/** Segment's kinds of messages. The last three say something of a user and are no events. */
export const SEGMENT_TYPES = ['track', 'page', 'screen', 'identify', 'group', 'alias'] as const
export type SegmentType = (typeof SEGMENT_TYPES)[number]

/** What Segment calls the fields of an event. */
const SEGMENT_FIELDS: Record<string, string> = { id: 'messageId', name: 'event' }
/** Segment's ids have up to 100 characters; what is longer than ours becomes a hash of this many. */
const HASHED_ID = 43

/** Bodies of Segment's HTTP API: a batch, or one message of the type that its path names. */
export function createSegmentFormat(type: SegmentType | 'batch'): BatchFormat {
  return {
    idField: 'messageId',
    isRelay: true,
    open: type === 'batch' ? openBatch : openMessage,
    read(item) {
      if (!isObject(item)) return new RefusedItem('invalid_event', 'a message must be a JSON object')
      const kind = type === 'batch' ? item.type : type
      if (kind === 'track' || kind === 'page' || kind === 'screen') return toEvent(kind, item)
      if (kind === 'identify' || kind === 'group' || kind === 'alias') return checkTraits(kind, item)
      return new RefusedItem('invalid_event', `type must be one of ${SEGMENT_TYPES.join(', ')}`)
    },
  }
}

function openBatch(body: unknown): Envelope {
  if (!isObject(body) || !Array.isArray(body.batch)) {
    throw new NowcastError('invalid_body', 'the body must be a JSON object with an array "batch"', { field: 'batch' })
  }
  requireBatchSize(body.batch, 'batch')
  return { items: body.batch, sentAt: toTime(body.sentAt), context: toContext(body.context) }
}

function openMessage(body: unknown): Envelope {
  if (!isObject(body)) throw new NowcastError('invalid_body', 'the body must be a JSON object: one message')
  return { items: [body], sentAt: toTime(body.sentAt), context: undefined }
}

/** A clock that cannot be read corrects nothing; it is no reason to lose the events. */
function toTime(value: unknown): number | undefined {
  return typeof value === 'string' || typeof value === 'number' ? parseTimestamp(value) || undefined : undefined
}

function toEvent(kind: 'track' | 'page' | 'screen', message: JsonObject): ShapedEvent | RefusedItem {
  const properties = message.properties ?? undefined
  const isPage = kind === 'page'
  const event = {
    id: toId(message.messageId),
    timestamp: message.timestamp ?? message.originalTimestamp,
    userId: numberAsText(message.userId),
    anonymousId: numberAsText(message.anonymousId),
    sessionId: sessionOf(message.context),
    ...toPageFields(message.context, isPage ? properties : undefined),
    ...(kind === 'track'
      ? trackFields(message.event, properties)
      : { name: 'page_view', properties: withoutPageFields(message, properties, isPage) }),
    context: toContext(message.context),
  }
  if (kind === 'screen' && typeof message.name === 'string') event.title = message.name.slice(0, FIELD_LIMITS.title)
  if (isShapedEvent(event)) return event
  const { code, message: text } = shapeProblem(event)
  return new RefusedItem(
    code,
    text.replace(/^\w+/, (field) => SEGMENT_FIELDS[field] ?? field),
  )
}

/** Traits are not kept: no question reads them. What names nobody is refused, as it would be by Segment. */
function checkTraits(kind: 'identify' | 'group' | 'alias', message: JsonObject): RefusedItem | undefined {
  for (const field of ['userId', 'anonymousId', 'previousId', 'groupId'] as const) {
    const value = numberAsText(message[field])
    if (value === undefined || value === null) continue
    if (typeof value !== 'string' || value.length > FIELD_LIMITS.userId) {
      return new RefusedItem('invalid_user', `${field} must be a string of at most ${FIELD_LIMITS.userId} characters`)
    }
  }
  const named = message.userId || message.anonymousId || (kind === 'alias' && message.previousId)
  return named ? undefined : new RefusedItem('missing_user', `${kind} needs userId or anonymousId`)
}

function toId(messageId: unknown): unknown {
  if (typeof messageId !== 'string' || messageId.length <= FIELD_LIMITS.id) return messageId || undefined
  return createHash('sha256').update(messageId).digest('base64url').slice(0, HASHED_ID)
}

/** Segment has no sessions of its own; its users put them into the context. */
function sessionOf(context: unknown): string | undefined {
  if (!isObject(context)) return undefined
  const session = numberAsText(context.sessionId ?? context.session_id)
  return typeof session === 'string' ? session.slice(0, FIELD_LIMITS.sessionId) : undefined
}
