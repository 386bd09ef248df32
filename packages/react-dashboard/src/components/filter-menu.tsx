import { useEffect, useRef, useState } from 'react'
import { valueName } from '../format/value-name.ts'
import { useNowcast } from '../hooks/nowcast-context.ts'
import { useFilters } from '../hooks/use-filters.ts'
import { type FilterMenuProps, FilterValues } from './filter-values.tsx'

/** A button that names a dimension and what is chosen of it, and opens the list of its values. */
export function FilterMenu({ dimension, last }: FilterMenuProps) {
  const { labels, locale } = useNowcast()
  const { chosen } = useFilters()
  const [isOpen, setOpen] = useState(false)
  const root = useRef<HTMLFieldSetElement>(null)
  const button = useRef<HTMLButtonElement>(null)
  const values = chosen[dimension] ?? []
  const name = labels.dimensions[dimension] ?? dimension
  const first = values[0] === undefined ? '' : valueName(dimension, values[0], labels, locale)

  useEffect(() => {
    if (!isOpen) return
    const closeOutside = (event: Event) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false)
    }
    const closeOnEscape = (event: KeyboardEvent) => {
      if (event.key !== 'Escape') return
      setOpen(false)
      button.current?.focus()
    }
    document.addEventListener('pointerdown', closeOutside)
    document.addEventListener('focusin', closeOutside)
    document.addEventListener('keydown', closeOnEscape)
    return () => {
      document.removeEventListener('pointerdown', closeOutside)
      document.removeEventListener('focusin', closeOutside)
      document.removeEventListener('keydown', closeOnEscape)
    }
  }, [isOpen])

  return (
    <fieldset className="nowcast-filter" ref={root} aria-label={name}>
      <button
        type="button"
        ref={button}
        className="nowcast-filter-button"
        data-chosen={values.length > 0}
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      >
        {name}
        {first && (
          <strong>
            {first}
            {values.length > 1 && ` +${values.length - 1}`}
          </strong>
        )}
        <svg viewBox="0 0 10 10" aria-hidden="true">
          <path d="M2 3.5 5 6.5l3-3" />
        </svg>
      </button>
      {isOpen && <FilterValues dimension={dimension} last={last} />}
    </fieldset>
  )
}
