import type { CellDimension, Dimension, Selection } from '../../ports/event-store.ts'
import type { QueryParameters } from './query-parameters.ts'

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
/** As a function of what the projection `users_hour` is grouped by. */
const NO_BOTS = "NOT (cell_device = 'bot')"

/** Whether the dimension stands in raw rows only, not in the rollups. */
function isRawDimension(dimension: Dimension): boolean {
  return !(dimension in CELL_COLUMNS)
}

/**
 * The dimension's value as text; what a raw event does not have is `(none)`.
 * @throws RangeError for a dimension that does not exist
 */
export function dimensionSql(dimension: Dimension, parameters: QueryParameters): string {
  const cell = CELL_COLUMNS[dimension as CellDimension]
  if (Object.hasOwn(CELL_COLUMNS, dimension)) return cell
  if (RAW_COLUMNS.includes(dimension)) return `if(${dimension} = '', '(none)', ${dimension})`
  if (!dimension.startsWith(PROPERTIES)) throw new RangeError(`no dimension ${JSON.stringify(dimension)}`)
  const key = parameters.add(dimension.slice(PROPERTIES.length), 'String')
  const string = `JSONExtractString(properties, ${key})`
  const other = `JSONExtractRaw(properties, ${key})`
  return `transform(if(JSONType(properties, ${key}) = 'String', ${string}, ${other}), ['', 'null'], ['(none)', '(none)'])`
}

/** Conditions of a selection, its time aside; never empty. */
export function selectionSql(selection: Selection, parameters: QueryParameters): string[] {
  const conditions = [`project = ${parameters.add(selection.project, 'String')}`]
  if (!selection.bots) conditions.push(NO_BOTS)
  for (const { dimension, values } of selection.filters) {
    conditions.push(`${dimensionSql(dimension, parameters)} IN ${parameters.add(values, 'Array(String)')}`)
  }
  return conditions
}

/** Whether the selection needs raw rows. */
export function needsRawRows(selection: Selection, breakdown?: Dimension): boolean {
  if (breakdown !== undefined && isRawDimension(breakdown)) return true
  return selection.filters.some(({ dimension }) => isRawDimension(dimension))
}
