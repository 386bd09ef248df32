import { ARCHIVE_DIMENSIONS, type Filters, HOT_DIMENSIONS, NONE } from '@nowcast/protocol'
import type { CellDimension, Dimension, DimensionFilter } from '../ports/event-store.ts'
import type { Project } from '../project.ts'
import { invalid } from './query-schema.ts'

/**
 * Filters by stored dimension.
 * @param at the field that they stand in
 * @throws NowcastError `invalid_query` that names a dimension which does not exist
 */
export function toFilters(filters: Filters, project: Project, at = 'filters'): DimensionFilter[] {
  return Object.entries(filters).map(([name, values]) => ({
    dimension: toDimension(`${at}.${name}`, name, project),
    values: values.map((value) => (value === '' ? NONE : value)),
  }))
}

/** The stored dimension of a name. @throws NowcastError `invalid_query` */
export function toDimension(field: string, name: string, project: Project): Dimension {
  if ((HOT_DIMENSIONS as readonly string[]).includes(name)) return name as Dimension
  const own = project.hotDimensions.indexOf(name)
  if (own >= 0) return own === 0 ? 'hot1' : 'hot2'
  if ((ARCHIVE_DIMENSIONS as readonly string[]).includes(name)) return name as Dimension
  if (name.startsWith('properties.') && name.length > 'properties.'.length) return name as Dimension
  throw invalid(
    field,
    `${JSON.stringify(name)} is no dimension; these are: ${dimensionNames(project)}, properties.<key>`,
  )
}

export function dimensionNames(project: Project): string {
  return [...HOT_DIMENSIONS, ...project.hotDimensions, ...ARCHIVE_DIMENSIONS].join(', ')
}

const CELL_DIMENSIONS: readonly string[] = [
  'name',
  'country',
  'device',
  'category',
  'hot1',
  'hot2',
] satisfies CellDimension[]

/** Whether a dimension is one of every cell. */
export function isCellDimension(dimension: Dimension): dimension is CellDimension {
  return CELL_DIMENSIONS.includes(dimension)
}
