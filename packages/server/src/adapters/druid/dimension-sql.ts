import { NowcastError } from '../../errors.ts'
import type { CellDimension, Dimension, Selection } from '../../ports/event-store.ts'

const CELL_COLUMNS: Record<CellDimension, string> = {
  name: 'cell_name',
  country: 'cell_country',
  device: 'cell_device',
  category: 'cell_category',
  hot1: 'hot1',
  hot2: 'hot2',
}
const RAW_COLUMNS = ['browser', 'os', 'path', 'referrer_host', 'utm_source', 'utm_medium', 'utm_campaign']
const PROPERTIES = 'properties.'
/** Druid hands a path on to its own expressions without quoting it: other characters could end it. */
const PLAIN_KEY = /^[\w .:@/-]+$/
/** Events lie between these moments, epoch ms; the same bounds as in ClickHouse. */
const END_OF_TIME = Date.UTC(2106, 1, 7, 6)

/** The values of the `?` of a statement, in the order of the text. */
export type Parameters = (string | number)[]

/** The part of a range that events can lie in; empty (`from >= to`) for none. */
export function storableRange<T extends { from: number; to: number }>(range: T): T {
  return { ...range, from: Math.max(0, range.from), to: Math.min(END_OF_TIME, range.to) }
}

/** A moment as a literal, so that Druid opens only the segments of a range. */
const timeSql = (at: number) => `TIMESTAMP '${new Date(at).toISOString().replace('T', ' ').slice(0, -1)}'`
export const withinSql = ({ from, to }: { from: number; to: number }) =>
  `__time >= ${timeSql(from)} AND __time < ${timeSql(to)}`
export const textSql = (text: string) => `'${text.replaceAll("'", "''")}'`
export const tableSql = (name: string) => `"${name.replaceAll('"', '""')}"`

/**
 * What an event does not have is `(none)`.
 * @throws RangeError for a dimension that does not exist; NowcastError `not_supported`
 */
export function dimensionSql(dimension: Dimension): string {
  if (Object.hasOwn(CELL_COLUMNS, dimension)) return CELL_COLUMNS[dimension as CellDimension]
  if (RAW_COLUMNS.includes(dimension)) return `COALESCE(NULLIF("${dimension}", ''), '(none)')`
  if (!dimension.startsWith(PROPERTIES)) throw new RangeError(`no dimension ${JSON.stringify(dimension)}`)
  const key = dimension.slice(PROPERTIES.length)
  if (!PLAIN_KEY.test(key)) {
    throw new NowcastError(
      'not_supported',
      `Druid as the archive cannot read a property whose name has other characters than A-Z, a-z, 0-9, blanks and _ . : @ / -: ${JSON.stringify(key)}. ClickHouse can.`,
    )
  }
  const path = textSql(`$['${key}']`)
  const json = `TO_JSON_STRING(JSON_QUERY(PARSE_JSON(properties), ${path}))`
  const text = `JSON_VALUE(PARSE_JSON(properties), ${path})`
  return `CASE WHEN ${json} IS NULL OR ${json} IN ('null', '""') THEN '(none)' WHEN SUBSTRING(${json}, 1, 1) = '"' THEN ${text} ELSE ${json} END`
}

/** Condition that a dimension has one of the values. */
export function oneOfSql(expression: string, values: readonly string[], parameters: Parameters): string {
  parameters.push(...values)
  return `${expression} IN (${values.map(() => '?').join(', ')})`
}

/** Conditions of a selection, its time with them. */
export function selectionSql(selection: Selection, parameters: Parameters): string {
  parameters.push(selection.project)
  const conditions = [withinSql(selection), 'project = ?']
  if (!selection.bots) conditions.push("cell_device <> 'bot'")
  for (const { dimension, values } of selection.filters) {
    conditions.push(oneOfSql(dimensionSql(dimension), values, parameters))
  }
  return conditions.join(' AND ')
}
