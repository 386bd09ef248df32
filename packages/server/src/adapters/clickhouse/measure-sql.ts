import type { Measure } from '../../ports/event-store.ts'

/** A cell's events, by the names that measures ask for. */
const NAME_CLASS = { page_view: 1, click: 2, purchase: 3, error: 4 } as const
type NamedEvent = keyof typeof NAME_CLASS

/** `part`: columns of {@link PART_COLUMNS} that the measure is made of. `sql`: how, over parts; `name`: of which events. */
interface MeasureSql {
  name?: NamedEvent
  part: PartColumn[]
  /** `when` is '1', or the condition that a part is of events with the measure's name. */
  sql(when: string): string
}

/** What is read for each bucket, key and class of names; the rollups hold exactly these. */
const PART_COLUMNS = {
  n: 'count()',
  r: 'sum(revenue)',
  nr: 'countIf(revenue < 0)',
  rr: 'sumIf(revenue, revenue < 0)',
  u: 'uniqCombined64State(14)(user_hash)',
  s: 'uniqCombined64IfState(14)(session_hash, session_hash != 0)',
} as const
type PartColumn = keyof typeof PART_COLUMNS

const count = (name?: NamedEvent): MeasureSql => ({ name, part: ['n'], sql: (when) => `sumIf(n, ${when})` })
/** Exact: a decimal with four places times 10,000, as an integer of 128 bits. */
const tenThousandths = (decimal: string) => `toInt128(${decimal} * 10000)`

const MEASURES: Record<Exclude<Measure, 'active_users'>, MeasureSql> = {
  events: count(),
  page_views: count('page_view'),
  clicks: count('click'),
  purchases: count('purchase'),
  errors: count('error'),
  revenue: { part: ['r'], sql: (when) => tenThousandths(`sumIf(r, ${when})`) },
  orders: { name: 'purchase', part: ['n', 'nr'], sql: (when) => `sumIf(n - nr, ${when})` },
  order_revenue: {
    name: 'purchase',
    part: ['r', 'rr'],
    sql: (when) => tenThousandths(`sumIf(r - rr, ${when})`),
  },
  users: { part: ['u'], sql: (when) => `uniqCombined64MergeIf(14)(u, ${when})` },
  buyers: { name: 'purchase', part: ['u'], sql: (when) => `uniqCombined64MergeIf(14)(u, ${when})` },
  sessions: { part: ['s'], sql: (when) => `uniqCombined64IfMergeIf(14)(s, ${when})` },
}

/** How a set of measures is read. */
export interface MeasurePlan {
  /** Aggregates of the inner query, with their names. */
  parts: string[]
  /** The inner query's class of names, where measures differ in it. */
  nameClass: string | undefined
  /** Condition on the rows, where all measures are of events with one name. */
  condition: string | undefined
  /** One expression a measure, over the parts. */
  measures: string[]
}

/** The parts that measures need, and the measures over them. `active_users` is `users` of a longer window. */
export function planMeasures(measures: readonly Measure[]): MeasurePlan {
  const chosen = measures.map((measure) => MEASURES[measure === 'active_users' ? 'users' : measure])
  const columns = new Set(chosen.flatMap(({ part }) => part))
  const names = new Set(chosen.map(({ name }) => name))
  const [only] = names
  const single = names.size === 1
  const classes = Object.entries(NAME_CLASS).map(([name, number]) => `cell_name = '${name}', ${number}`)
  return {
    parts: [...columns].map((column) => `${PART_COLUMNS[column]} AS ${column}`),
    nameClass: single ? undefined : `multiIf(${classes.join(', ')}, 0)`,
    condition: single && only !== undefined ? `cell_name = '${only}'` : undefined,
    measures: chosen.map(({ name, sql }) => sql(single || name === undefined ? '1' : `c = ${NAME_CLASS[name]}`)),
  }
}
