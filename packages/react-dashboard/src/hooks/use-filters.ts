import type { Filters } from '@nowcast/protocol'
import { useMemo } from 'react'
import { narrowFilters } from './narrow-filters.ts'
import { useFiltersContext } from './nowcast-context.ts'

/** The filters around, and the verbs to change the viewer's part of them. */
export interface FiltersState {
  /** What holds for every query: the host's filters, narrowed by the viewer's. */
  filters: Filters
  /** The viewer's part. */
  chosen: Filters
  /** Replaces the chosen values of a dimension; an empty list chooses all. */
  setFilter(dimension: string, values: readonly string[]): void
  /** Adds a value to those chosen, or takes it out. */
  toggleFilter(dimension: string, value: string): void
  /** Chooses everything again. */
  clearFilters(): void
}

/** Reads and changes the filters that all components inside the provider share. */
export function useFilters(): FiltersState {
  const { fixed, chosen, choose } = useFiltersContext()
  return useMemo(() => {
    function setFilter(dimension: string, values: readonly string[]) {
      const { [dimension]: _, ...others } = chosen
      choose(values.length > 0 ? { ...others, [dimension]: [...values] } : others)
    }
    return {
      filters: narrowFilters(fixed, chosen),
      chosen,
      setFilter,
      toggleFilter(dimension, value) {
        const held = chosen[dimension] ?? []
        setFilter(dimension, held.includes(value) ? held.filter((one) => one !== value) : [...held, value])
      },
      clearFilters: () => choose({}),
    }
  }, [fixed, chosen, choose])
}
