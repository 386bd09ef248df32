import type { Query } from '@nowcast/protocol'
import { canonicalKey } from '../client/canonical-key.ts'
import { narrowFilters } from './narrow-filters.ts'
import { useFiltersContext } from './nowcast-context.ts'

/** How a hook asks. */
export interface AskOptions {
  /** Dimensions in which the viewer's choice does not narrow this query. @default [] */
  unfiltered?: readonly string[]
  /** False asks nothing for now: the state stays `loading`. @default true */
  enabled?: boolean
}

/** Canonical JSON of a query with the filters around it; its own win where both name a dimension. */
export function useFilteredKey(query: Query, { unfiltered = [] }: AskOptions): string {
  const { fixed, chosen } = useFiltersContext()
  const narrowing = Object.fromEntries(Object.entries(chosen).filter(([dimension]) => !unfiltered.includes(dimension)))
  return canonicalKey({ ...query, filters: { ...narrowFilters(fixed, narrowing), ...query.filters } })
}
