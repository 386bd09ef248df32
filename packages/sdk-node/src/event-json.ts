import type { ContextInput } from '@nowcast/protocol'
import type { EventFields } from '@nowcast/sdk-core'
import { createEventId } from './event-id.ts'

/**
 * One event as JSON: known fields at its top level, everything else as properties. Written out field by field, so that
 * every event has the same shape: that makes it several times as fast as copying what is there.
 *
 * @throws what JSON.stringify throws
 */
export function eventJson(name: string, fields: EventFields & { context?: ContextInput }): string {
  const {
    id,
    timestamp,
    userId,
    anonymousId,
    sessionId,
    url,
    referrer,
    title,
    category,
    revenue,
    currency,
    context,
    ...properties
  } = fields
  return JSON.stringify({
    id: id ?? createEventId(),
    name,
    timestamp: timestamp ?? Date.now(),
    userId: userId ?? undefined,
    anonymousId: anonymousId ?? undefined,
    sessionId: sessionId ?? undefined,
    url: url ?? undefined,
    referrer: referrer ?? undefined,
    title: title ?? undefined,
    category: category ?? undefined,
    revenue: revenue ?? undefined,
    currency: currency ?? undefined,
    context: context ?? undefined,
    properties: isEmpty(properties) ? undefined : properties,
  })
}

function isEmpty(properties: object) {
  for (const _ in properties) return false
  return true
}
