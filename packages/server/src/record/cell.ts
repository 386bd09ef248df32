/**
 * One combination of dimension values: the unit in which events are counted. Its values are what ingest stamped, so
 * they may be `(none)` or `(other)`.
 */
export interface Cell {
  project: string
  name: string
  country: string
  device: string
  category: string
  /** Value of the project's first hot dimension; '' where it has none. */
  hot1: string
  /** Value of the project's second hot dimension; '' where it has none. */
  hot2: string
  /** Currency of revenue that could not be converted and is therefore not summed; '' as a rule. */
  unconverted: string
}

/** A string that is equal for equal cells and only for them: ingest lets no NUL into a value. */
export function cellKey(cell: Cell): string {
  return `${cell.project}\0${cell.name}\0${cell.country}\0${cell.device}\0${cell.category}\0${cell.hot1}\0${cell.hot2}\0${cell.unconverted}`
}

/** The cell of a key made by {@link cellKey}. */
export function cellFromKey(key: string): Cell {
  const [project = '', name = '', country = '', device = '', category = '', hot1 = '', hot2 = '', unconverted = ''] =
    key.split('\0')
  return { project, name, country, device, category, hot1, hot2, unconverted }
}
