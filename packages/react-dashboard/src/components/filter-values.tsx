import { useState } from 'react'
import { shortValue } from '../format/format-value.ts'
import { valueName } from '../format/value-name.ts'
import { useNowcast } from '../hooks/nowcast-context.ts'
import { useFilters } from '../hooks/use-filters.ts'
import { useQuery } from '../hooks/use-query.ts'
import { ErrorMessage } from './view-message.tsx'

export interface FilterMenuProps {
  dimension: string
  last: string
}

const MOST_VALUES = 200
const SEARCH_FROM = 9

/** The values of a dimension to choose from, those with most events first. */
export function FilterValues({ dimension, last }: FilterMenuProps) {
  const { labels, locale } = useNowcast()
  const { chosen, toggleFilter } = useFilters()
  const [search, setSearch] = useState('')
  const query = { kind: 'breakdown', breakdown: dimension, range: { last }, limit: MOST_VALUES } as const
  const { data, error } = useQuery(query, { unfiltered: [dimension] })
  const picked = chosen[dimension] ?? []
  const counts = new Map(data?.rows.map(({ key, v }) => [key, v]))
  const keys = [...new Set([...picked, ...counts.keys()])].filter((key) => key !== '(other)')
  const named = keys.map((key) => ({ key, name: valueName(dimension, key, labels, locale), v: counts.get(key) }))
  const found = named.filter(({ key, name }) => `${name} ${key}`.toLowerCase().includes(search.toLowerCase()))
  return (
    <div className="nowcast-filter-panel">
      {keys.length >= SEARCH_FROM && (
        <input
          type="search"
          value={search}
          placeholder={labels.words.search}
          aria-label={labels.words.search}
          onChange={(event) => setSearch(event.target.value)}
        />
      )}
      {error && !data && <ErrorMessage error={error} />}
      {data && found.length === 0 && <p className="nowcast-message">{labels.words.noValues}</p>}
      <div className="nowcast-filter-values">
        {found.map(({ key, name, v }) => (
          <label key={key} title={key}>
            <input type="checkbox" checked={picked.includes(key)} onChange={() => toggleFilter(dimension, key)} />
            <span>{name}</span>
            {v !== undefined && <small>{shortValue(v, { unit: 'count', locale })}</small>}
          </label>
        ))}
      </div>
    </div>
  )
}
