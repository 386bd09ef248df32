import { type EventInput, NONE } from '@nowcast/protocol'

/** What `nowcast export` writes and nobody sends. */
const MARK = 'revenueInProjectCurrency'
const CONTEXT_FIELDS = ['country', 'device', 'browser', 'os', 'locale'] as const
/** Sent as they are exported; '' is none. Page, campaign and referrer's host are found in the addresses again. */
const EVENT_FIELDS = [
  ...(['id', 'name', 'timestamp', 'userId', 'anonymousId', 'sessionId'] as const),
  ...(['url', 'referrer', 'title', 'category', 'revenue', 'currency'] as const),
]
/** Whom an event is of that named somebody who was deleted. */
const DELETED_USER = '(deleted)'

/** Whether a line was written by `nowcast export --format ndjson`. */
export function isExportedEvent(object: Record<string, unknown>): boolean {
  return Object.hasOwn(object, MARK) && typeof object.properties === 'string'
}

/** The event that an exported line was, as one sends it. */
export function exportedEvent(object: Record<string, unknown>): EventInput {
  const event: Record<string, unknown> = {}
  for (const field of EVENT_FIELDS) if (object[field] !== '') event[field] = object[field]
  if (event.userId === undefined && event.anonymousId === undefined) event.anonymousId = DELETED_USER
  const context: Record<string, unknown> = {}
  for (const field of CONTEXT_FIELDS) {
    if (object[field] !== '' && object[field] !== NONE) context[field] = object[field]
  }
  return { ...event, context, properties: parsed(object.properties as string) } as unknown as EventInput
}

/** What is no JSON is left to the server, which says so. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
