import { useRef } from 'react'
import { useNowcast } from '../hooks/nowcast-context.ts'
import { useFilters } from '../hooks/use-filters.ts'
import { FilterMenu } from './filter-menu.tsx'
import { Frame } from './frame.tsx'

/** What a `FilterBar` offers. */
export interface FilterBarProps {
  /** @default ['country', 'device', 'category', 'name'] */
  dimensions?: readonly string[]
  /** Range in which values are looked for. @default '24h' */
  last?: string
  className?: string
}

const DIMENSIONS = ['country', 'device', 'category', 'name']

/** Lets the viewer choose values of some dimensions; the choice narrows everything inside the provider. */
export function FilterBar({ dimensions = DIMENSIONS, last = '24h', className }: FilterBarProps) {
  const { labels } = useNowcast()
  const { chosen, clearFilters } = useFilters()
  const bar = useRef<HTMLDivElement>(null)

  function clear() {
    // The button goes with what it clears: the focus stays in the bar.
    bar.current?.querySelector('button')?.focus()
    clearFilters()
  }

  return (
    <Frame kind="nowcast-filters" className={className} label={labels.words.filter}>
      <div className="nowcast-filters-row" ref={bar}>
        {dimensions.map((dimension) => (
          <FilterMenu key={dimension} dimension={dimension} last={last} />
        ))}
        {Object.keys(chosen).length > 0 && (
          <button type="button" className="nowcast-clear" onClick={clear}>
            {labels.words.clearFilters}
          </button>
        )}
      </div>
    </Frame>
  )
}
