import { z } from 'zod'
import { ImportError } from '../import-error.ts'
import { TIMESTAMP_FORMATS } from './parse-timestamp.ts'
import { isZone } from './zoned-time.ts'

const column = z.string().min(1)
const zone = z.string().refine(isZone, { error: 'is no IANA zone such as Europe/London' })
const text = z.union([z.string(), z.number()]).transform(String)
const fallback = { default: text.optional() }
const time = { zone: zone.optional(), format: z.enum(TIMESTAMP_FORMATS).optional() }

const valueSource = z.strictObject({ value: text })
const columnSource = z.strictObject({ column, ...fallback })
const concatSource = z.strictObject({
  concat: z.array(z.union([column, valueSource])).min(1),
  ...fallback,
})
const multiplySource = z.strictObject({ multiply: z.array(column).min(1).max(4) })
const textSource = z.union([valueSource, columnSource, concatSource])

const eventMap = z
  .strictObject({
    id: textSource.optional(),
    name: textSource,
    timestamp: z.union([valueSource, columnSource.extend(time), concatSource.extend(time)]).optional(),
    userId: textSource.optional(),
    anonymousId: textSource.optional(),
    sessionId: textSource.optional(),
    url: textSource.optional(),
    referrer: textSource.optional(),
    title: textSource.optional(),
    category: textSource.optional(),
    revenue: z.union([valueSource, columnSource, multiplySource]).optional(),
    currency: textSource.optional(),
    ip: textSource.optional(),
    userAgent: textSource.optional(),
    country: textSource.optional(),
    device: textSource.optional(),
    browser: textSource.optional(),
    os: textSource.optional(),
    locale: textSource.optional(),
    properties: z.array(column).optional(),
  })
  .refine((map) => map.userId !== undefined || map.anonymousId !== undefined, {
    error: 'needs `userId` or `anonymousId`: every event belongs to a user',
  })

/**
 * Where each field of an event comes from.
 *
 * - `{"value": "purchase"}`: the same for every event;
 * - `{"column": "CustomerID", "default": "guest"}`: a column, or the default where it is empty;
 * - `{"concat": ["year", {"value": "-"}, "month"]}`: columns and texts, one after the other;
 * - `{"multiply": ["Quantity", "UnitPrice"]}` for `revenue`: an exact decimal product;
 * - `zone` and `format` for `timestamp`: see `parseTimestamp`.
 */
export type EventMap = z.infer<typeof eventMap>
export type FieldSource = NonNullable<Exclude<EventMap[keyof EventMap], string[]>>

/** @throws ImportError that names each wrong field */
export function parseEventMap(input: unknown): EventMap {
  const parsed = eventMap.safeParse(input)
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map((issue) => `${['map', ...issue.path].join('.')}: ${problemOf(issue)}`)
  throw new ImportError('invalid_map', `The map is not right. ${problems.join('; ')}.`)
}

function problemOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_union') {
    return 'takes {"value": …}, {"column": …, "default": …}, {"concat": […]} or, for revenue, {"multiply": […]}; zone and format only for timestamp'
  }
  if (issue.code === 'unrecognized_keys') return `does not know ${issue.keys.map((key) => `"${key}"`).join(', ')}`
  return issue.message
}

/** The columns a map reads, each once. */
export function columnsOf(map: EventMap): string[] {
  const columns = new Set(map.properties)
  for (const [field, source] of Object.entries(map)) {
    if (field === 'properties') continue
    for (const name of sourceColumns(source as FieldSource)) columns.add(name)
  }
  return [...columns]
}

function sourceColumns(source: FieldSource): string[] {
  if ('column' in source) return [source.column]
  if ('multiply' in source) return source.multiply
  if ('concat' in source) return source.concat.filter((part) => typeof part === 'string')
  return []
}
