import type { Filters, FunnelStep, Metric } from '@nowcast/protocol'
import { METRICS } from '@nowcast/protocol'
import type { DashboardView } from '../src/index.ts'

/** The parts of the page. */
export const SECTIONS = ['overview', 'funnel', 'events', 'connect'] as const
export type Section = (typeof SECTIONS)[number]

/** What the page's address says, so that it can be kept and sent to others. It never carries the token. */
export interface Address {
  section: Section
  view: Partial<DashboardView>
  filters: Filters
  steps: FunnelStep[] | undefined
}

const FILTER = 'f.'

/** Reads an address's query; what cannot be understood is left out. */
export function readAddress(search: string): Address {
  const query = new URLSearchParams(search)
  const filters: Filters = {}
  for (const [name, value] of query) {
    if (!name.startsWith(FILTER)) continue
    const dimension = name.slice(FILTER.length)
    filters[dimension] = [...(filters[dimension] ?? []), value]
  }
  const view: Partial<DashboardView> = {}
  const metric = METRICS.find((one) => one === query.get('metric')) as Metric | undefined
  if (metric) view.metric = metric
  const range = query.get('range') ?? ''
  const fixed = /^(\d{12,14})-(\d{12,14})$/.exec(range)
  if (fixed) view.range = { from: Number(fixed[1]), to: Number(fixed[2]) }
  else if (/^\d{1,4}[mhd]$/.test(range)) view.range = { last: range }
  const compare = query.get('compare')
  if (compare === 'day' || compare === 'week') view.compare = compare
  const steps = query.getAll('step').map((name) => ({ name }))
  const section = SECTIONS.find((one) => one === query.get('view')) ?? 'overview'
  return { section, view, filters, steps: steps.length > 1 ? steps : undefined }
}

/** Writes an address's query; what is as usual is left out. */
export function writeAddress({ section, view, filters, steps }: Address): string {
  const query = new URLSearchParams()
  if (section !== 'overview') query.set('view', section)
  if (view.metric && view.metric !== 'events') query.set('metric', view.metric)
  if (view.range && 'from' in view.range) query.set('range', `${view.range.from}-${view.range.to}`)
  else if (view.range && view.range.last !== '24h') query.set('range', view.range.last)
  if (view.compare) query.set('compare', view.compare)
  for (const [dimension, values] of Object.entries(filters)) {
    for (const value of values) query.append(FILTER + dimension, value)
  }
  for (const { name } of steps ?? []) query.append('step', name)
  const text = query.toString()
  return text && `?${text}`
}
