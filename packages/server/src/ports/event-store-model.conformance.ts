import type { Dimension, Selection } from './event-store.ts'

/** An event as the store is to see it; what is absent has its default. */
export interface ModelEvent {
  epoch?: number
  partition?: number
  offset: number
  project: string
  id: string
  name: string
  ts: number
  receivedAt?: number
  userId?: string
  anonymousId?: string
  sessionId?: string
  url?: string
  title?: string
  country: string
  device: string
  category: string
  browser?: string
  cellCountry?: string
  hot1?: string
  /** Decimal string. */
  revenue?: string
  amount?: string
  currency?: string
  unconverted?: string
  properties?: Record<string, unknown>
}

/** The row that ingestion writes for an event, with its place in the log. */
function rowOf(event: ModelEvent): string {
  const { epoch = 1, partition = 0, offset, userId, anonymousId, sessionId, cellCountry, receivedAt, ...same } = event
  return JSON.stringify({
    ...{ log_epoch: epoch, log_partition: partition, log_offset: offset, received_at: receivedAt ?? event.ts + 20 },
    ...{ user_id: userId, anonymous_id: anonymousId, session_id: sessionId, cell_country: cellCountry },
    ...same,
  })
}

export function rowsOf(events: readonly ModelEvent[]): Uint8Array {
  return Buffer.from(events.map(rowOf).join('\n'))
}

export function dimensionValue(event: ModelEvent, dimension: Dimension): string {
  if (dimension === 'country') return event.cellCountry ?? event.country
  if (dimension === 'hot1') return event.hot1 ?? ''
  if (dimension === 'browser') return event.browser ?? '(none)'
  if (dimension.startsWith('properties.')) {
    const value = event.properties?.[dimension.slice('properties.'.length)]
    if (value === undefined || value === null || value === '') return '(none)'
    return typeof value === 'string' ? value : JSON.stringify(value)
  }
  return event[dimension as 'name' | 'device' | 'category']
}

export function isSelected(event: ModelEvent, { project, filters, bots }: Selection): boolean {
  if (event.project !== project || (!bots && event.device === 'bot')) return false
  return filters.every(({ dimension, values }) => values.includes(dimensionValue(event, dimension)))
}
