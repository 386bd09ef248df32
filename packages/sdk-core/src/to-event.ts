import type { EventInput } from '@nowcast/protocol'

/** Fields of an event that have a meaning of their own; every other one becomes a property. */
const EVENT_FIELDS = [
  'id',
  'timestamp',
  'userId',
  'anonymousId',
  'sessionId',
  'url',
  'referrer',
  'title',
  'category',
  'revenue',
  'currency',
] as const satisfies readonly (keyof EventInput)[]

/** What an event carries: known fields by their names, anything else as properties (JSON, up to 8 KB). */
export interface EventFields {
  /** Unique per project; a repeat is counted once. @default a UUIDv7 */
  id?: string
  /** When it happened: epoch ms, ISO 8601 or a Date. @default now */
  timestamp?: number | string | Date
  userId?: string
  anonymousId?: string
  sessionId?: string
  url?: string
  referrer?: string
  title?: string
  /** Product category. */
  category?: string
  /** Number or decimal string with up to four places; negative for a refund. A string keeps money exact. */
  revenue?: number | string
  /** ISO 4217. @default the project's currency */
  currency?: string
  [property: string]: unknown
}

/** Lifts the known fields of `fields` to the event's top level, over `defaults`, and leaves the rest as properties. */
export function toEvent(name: string, defaults: Partial<EventInput>, fields: EventFields): EventInput {
  const lifted: Record<string, unknown> = { ...defaults, name }
  const properties: Record<string, unknown> = {}
  for (const [field, value] of Object.entries(fields)) {
    if (!(EVENT_FIELDS as readonly string[]).includes(field)) properties[field] = value
    else if (value != null) lifted[field] = value
  }
  if (Object.keys(properties).length) lifted.properties = properties
  return lifted as unknown as EventInput
}
