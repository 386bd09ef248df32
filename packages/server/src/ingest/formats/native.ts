import { LIMITS } from '@nowcast/protocol'
import { NowcastError } from '../../errors.ts'
import {
  contextShapeProblem,
  isSentAt,
  isShapedContext,
  isShapedEvent,
  type ShapedContext,
  shapeProblem,
} from '../event-schema.ts'
import { type BatchFormat, type Envelope, RefusedItem } from './batch-format.ts'

/** Bodies of `POST /v1/events`. */
export const nativeFormat: BatchFormat = {
  idField: 'id',
  isRelay: false,
  open,
  read(item) {
    if (isShapedEvent(item)) return item
    const { code, message } = shapeProblem(item)
    return new RefusedItem(code, message)
  },
}

function open(body: unknown): Envelope {
  if (typeof body !== 'object' || body === null || !Array.isArray((body as { events?: unknown }).events)) {
    throw new NowcastError('invalid_body', 'the body must be a JSON object with an array "events"', { field: 'events' })
  }
  const { events, sentAt, context } = body as { events: unknown[]; sentAt?: unknown; context?: unknown }
  requireBatchSize(events, 'events')
  if (sentAt !== undefined && sentAt !== null && !isSentAt(sentAt)) {
    throw new NowcastError('invalid_body', 'sentAt must be epoch milliseconds', { field: 'sentAt' })
  }
  if (context !== undefined && context !== null && !isShapedContext(context)) {
    throw new NowcastError('invalid_body', contextShapeProblem(context), { field: 'context' })
  }
  return {
    items: events,
    sentAt: typeof sentAt === 'number' ? sentAt : undefined,
    context: (context as ShapedContext | null) ?? undefined,
  }
}

/** @throws NowcastError `too_many_events` */
export function requireBatchSize(items: readonly unknown[], field: string): void {
  if (items.length <= LIMITS.batchEvents) return
  throw new NowcastError(
    'too_many_events',
    `a batch holds at most ${LIMITS.batchEvents} events, this one has ${items.length}: split it`,
    { field },
  )
}
