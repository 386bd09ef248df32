import type { EventInput } from '@nowcast/protocol'
import { compileMap } from '../map/compile-map.ts'
import { columnsOf, type EventMap } from '../map/event-map.ts'
import { parseTimestamp } from '../map/parse-timestamp.ts'
import { exportedEvent, isExportedEvent } from './exported-event.ts'
import { createLineReader, type RecordReader } from './record-reader.ts'

/**
 * Reads one JSON object per line: an event as `POST /v1/events` takes it or as `nowcast export` writes it, or
 * anything with a map. A column is a key of the object, or a path of keys: `customer.id`.
 * @param zone IANA zone of timestamps that carry none
 * @param afterLine the last line that is imported already
 */
export function createNdjsonReader(map: EventMap | undefined, zone: string, afterLine = 0): RecordReader {
  const columns = map ? columnsOf(map) : []
  const toEvent = map && compileMap(map, columns, zone)
  return createLineReader((text) => {
    let object: unknown
    try {
      object = JSON.parse(text)
    } catch (error) {
      return { rejection: { code: 'not_json', message: `The line is not JSON: ${(error as Error).message}` } }
    }
    if (!isObject(object)) {
      const message = 'The line is JSON, but no object: each line is one event.'
      return { rejection: { code: 'not_json', message } }
    }
    return toEvent ? toEvent(columns.map((column) => pick(object, column))) : { event: nativeEvent(object, zone) }
  }, afterLine)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The server checks everything else. */
function nativeEvent(object: Record<string, unknown>, zone: string): EventInput {
  const event = isExportedEvent(object) ? exportedEvent(object) : (object as unknown as EventInput)
  if (typeof event.timestamp === 'string') {
    event.timestamp = parseTimestamp(event.timestamp, { zone }) ?? event.timestamp
  }
  return event
}

/** The value of a key, or at a path of keys. */
function pick(object: Record<string, unknown>, column: string): unknown {
  if (Object.hasOwn(object, column)) return object[column]
  let value: unknown = object
  for (const key of column.split('.')) {
    if (!isObject(value) || !Object.hasOwn(value, key)) return undefined
    value = value[key]
  }
  return value
}
