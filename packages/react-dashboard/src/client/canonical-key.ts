function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical)
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value).filter(([, field]) => field !== undefined)
  fields.sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(
    fields.map(([name, field]) => [name, name === 'filters' ? filters(field) : canonical(field)]),
  )
}

/** Values of a filter are alternatives: their order says nothing, and a dimension without values holds nothing back. */
function filters(value: unknown): Record<string, string[]> | undefined {
  const lists = Object.entries((value ?? {}) as Record<string, string[]>).filter(([, values]) => values.length > 0)
  if (lists.length === 0) return undefined
  lists.sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(lists.map(([name, values]) => [name, [...new Set(values)].sort()]))
}

/** JSON of a query or of filters such that equal ones give equal text. */
export function canonicalKey(query: object): string {
  return JSON.stringify(canonical(query))
}
