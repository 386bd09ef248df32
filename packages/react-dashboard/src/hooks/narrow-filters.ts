import type { Filters } from '@nowcast/protocol'

/** Both filters at once. A choice outside what is allowed for its dimension changes nothing. */
export function narrowFilters(allowed: Filters, chosen: Filters): Filters {
  const narrowed: Filters = { ...allowed }
  for (const [dimension, values] of Object.entries(chosen)) {
    const bound = allowed[dimension]
    const kept = bound?.length ? values.filter((value) => bound.includes(value)) : values
    if (kept.length > 0) narrowed[dimension] = kept
  }
  return narrowed
}
