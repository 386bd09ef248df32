import type { DashboardView } from '../src/index.ts'
import { type Address, SECTIONS } from './address.ts'

/** What a key does to what is seen. */
export interface Shortcut {
  key: string
  says: string
  act(address: Address): Partial<Address>
}

const RANGES = {
  h: ['1h', 'Last hour'],
  d: ['24h', 'Last 24 hours'],
  w: ['7d', 'Last 7 days'],
  m: ['30d', 'Last 30 days'],
}
const SECTION_NAMES = ['Overview', 'Funnel', 'Events', 'Connect']

function look(change: Partial<DashboardView>) {
  return ({ view }: Address): Partial<Address> => ({ section: 'overview', view: { ...view, ...change } })
}

/** The page's shortcuts beside `?`, which lists them, and Escape, which closes the list. */
export const SHORTCUTS: readonly Shortcut[] = [
  ...SECTIONS.map((section, index) => ({
    key: String(index + 1),
    says: SECTION_NAMES[index]!,
    act: () => ({ section }),
  })),
  ...Object.entries(RANGES).map(([key, [last, says]]) => ({ key, says: says!, act: look({ range: { last: last! } }) })),
  { key: 'e', says: 'Events', act: look({ metric: 'events' }) },
  { key: 'u', says: 'Users', act: look({ metric: 'users' }) },
  { key: 'r', says: 'Revenue', act: look({ metric: 'revenue' }) },
  {
    key: 'c',
    says: 'Compare with the day before, or no more',
    act: (address) => look({ compare: address.view.compare ? undefined : 'day' })(address),
  },
]
