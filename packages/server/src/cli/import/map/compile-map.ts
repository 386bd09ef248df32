import type { EventInput } from '@nowcast/protocol'
import type { ParsedLine } from '../formats/record-reader.ts'
import type { Rejection } from '../line-ledger.ts'
import { countryCode } from './country-code.ts'
import type { EventMap, FieldSource } from './event-map.ts'
import { multiplyDecimals } from './multiply-decimals.ts'
import { parseTimestamp } from './parse-timestamp.ts'

const PLAIN_FIELDS = [
  'id',
  'name',
  'userId',
  'anonymousId',
  'sessionId',
  'url',
  'referrer',
  'title',
  'category',
  'currency',
] as const
const CONTEXT_FIELDS = ['ip', 'userAgent', 'device', 'browser', 'os', 'locale'] as const

/** Values of one record, in the order of the columns. */
type Values = readonly unknown[]
/** The text a source has in a record; undefined when it is empty. */
type Reader = (values: Values) => string | undefined
/** Sets one field of the event, or tells why it cannot. */
type Setter = (event: EventInput, values: Values) => Rejection | undefined

/**
 * Makes a function that turns one record's values into an event.
 * @param columns names of the values; the map's columns must be among them
 * @param zone IANA zone of timestamps without one, where the map names none
 */
export function compileMap(map: EventMap, columns: string[], zone: string): (values: Values) => ParsedLine {
  const setters = [
    ...plainSetters(map, columns),
    ...contextSetters(map, columns),
    timestampSetter(map, columns, zone),
    revenueSetter(map, columns),
    propertiesSetter(map, columns),
  ].filter((setter) => setter !== undefined)

  return (values) => {
    const event: EventInput = { name: '' }
    for (const set of setters) {
      const rejection = set(event, values)
      if (rejection) return { rejection }
    }
    if (event.name === '') return reject('invalid_name', `\`name\` is empty: ${describe(map.name)}.`)
    if (event.userId === undefined && event.anonymousId === undefined) {
      const source = (map.userId ?? map.anonymousId)!
      return reject('missing_user', `The record names no user: ${describe(source)}. A "default" would help.`)
    }
    return { event }
  }
}

function reject(code: string, message: string): { rejection: Rejection } {
  return { rejection: { code, message } }
}

function plainSetters(map: EventMap, columns: string[]): Setter[] {
  return PLAIN_FIELDS.flatMap((field) => {
    const source = map[field]
    if (!source) return []
    const read = compileSource(source, columns)
    return (event: EventInput, values: Values) => {
      const text = read(values)
      if (text !== undefined) event[field] = text
      return undefined
    }
  })
}

function contextSetters(map: EventMap, columns: string[]): Setter[] {
  const setters: Setter[] = CONTEXT_FIELDS.flatMap((field) => {
    const source = map[field]
    if (!source) return []
    const read = compileSource(source, columns)
    return (event: EventInput, values: Values) => {
      const text = read(values)
      if (text !== undefined) event.context = { ...event.context, [field]: text }
      return undefined
    }
  })
  if (map.country) {
    const read = compileSource(map.country, columns)
    setters.push((event, values) => {
      const country = countryCode(read(values) ?? '')
      if (country !== undefined) event.context = { ...event.context, country }
      return undefined
    })
  }
  return setters
}

function timestampSetter(map: EventMap, columns: string[], defaultZone: string): Setter | undefined {
  const source = map.timestamp
  if (!source) return undefined
  const read = compileSource(source, columns)
  const zone = ('zone' in source ? source.zone : undefined) ?? defaultZone
  const format = 'format' in source ? source.format : undefined
  return (event, values) => {
    const text = read(values) ?? ''
    event.timestamp = parseTimestamp(text, { zone, format })
    if (event.timestamp !== undefined) return undefined
    const hint = format ? `the format ${format}` : 'ISO 8601, Y-M-D, M/D/Y or epoch ms; name another as "format"'
    return { code: 'invalid_timestamp', message: `"${shown(text)}" is no time in ${hint}: ${describe(source)}.` }
  }
}

function revenueSetter(map: EventMap, columns: string[]): Setter | undefined {
  const source = map.revenue
  if (!source) return undefined
  const readers =
    'multiply' in source
      ? source.multiply.map((column) => compileSource({ column }, columns))
      : [compileSource(source, columns)]
  return (event, values) => {
    const factors = readers.map((read) => read(values) ?? '')
    if (factors.every((factor) => factor === '')) return undefined
    event.revenue = multiplyDecimals(factors)
    if (event.revenue !== undefined) return undefined
    const message = `${factors.map((factor) => `"${shown(factor)}"`).join(' × ')} is no decimal with at most four places: ${describe(source)}.`
    return { code: 'invalid_revenue', message }
  }
}

function propertiesSetter(map: EventMap, columns: string[]): Setter | undefined {
  if (!map.properties) return undefined
  const places = map.properties.map((column) => [column, columns.indexOf(column)] as const)
  return (event, values) => {
    const properties: Record<string, unknown> = {}
    for (const [column, place] of places) {
      const value = values[place]
      if (value !== undefined && value !== null && value !== '') properties[column] = value
    }
    event.properties = properties
    return undefined
  }
}

function compileSource(source: FieldSource, columns: string[]): Reader {
  if ('value' in source) return () => source.value
  if ('column' in source) {
    const place = columns.indexOf(source.column)
    return (values) => textOf(values[place]) ?? source.default
  }
  if ('multiply' in source) throw new TypeError('Only revenue can be multiplied.')
  const parts = source.concat.map((part) => compileSource(typeof part === 'string' ? { column: part } : part, columns))
  const hasColumn = source.concat.map((part) => typeof part === 'string')
  return (values) => {
    const texts = parts.map((read) => read(values))
    return texts.some((text, i) => hasColumn[i] && text !== undefined) ? texts.join('') : source.default
  }
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return typeof value === 'string' && value.trim() !== '' ? value : undefined
}

function describe(source: FieldSource): string {
  if ('column' in source) return `column "${source.column}"`
  if ('multiply' in source) return `columns ${source.multiply.map((column) => `"${column}"`).join(' × ')}`
  return 'see the map'
}

function shown(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}
