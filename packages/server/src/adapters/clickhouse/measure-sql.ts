import type { Measure } from '../../ports/event-store.ts'

/** Classes of events that measures ask for; an order is a purchase whose revenue is summed. */
const EVENT_CLASS = {
  order: { number: 5, condition: "cell_name = 'purchase' AND unconverted = ''", selects: 'c = 5' },
  purchase: { number: 3, condition: "cell_name = 'purchase'", selects: 'c IN (3, 5)' },
  page_view: { number: 1, condition: "cell_name = 'page_view'", selects: 'c = 1' },
  click: { number: 2, condition: "cell_name = 'click'", selects: 'c = 2' },
  error: { number: 4, condition: "cell_name = 'error'", selects: 'c = 4' },
} as const
type NamedEvent = keyof typeof EVENT_CLASS

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

/** The same of `nowcast.rollups`. */
const ROLLED_COLUMNS: Record<PartColumn, string> = {
  n: 'sum(events)',
  r: 'sum(summed)',
  nr: 'sum(refunds)',
  rr: 'sum(refunded)',
  u: 'uniqCombined64MergeState(14)(users)',
  s: 'uniqCombined64IfMergeState(14)(sessions)',
}

/** How sketches of parts become one sketch again, and then a number. */
const SKETCHES: Partial<Record<PartColumn, { united: string; counted(sketch: string): string }>> = {
  u: { united: 'uniqCombined64MergeState(14)(u)', counted: (sketch) => `uniqCombined64Merge(14)(${sketch})` },
  s: { united: 'uniqCombined64IfMergeState(14)(s)', counted: (sketch) => `uniqCombined64IfMerge(14)(${sketch})` },
}

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
  orders: { name: 'order', part: ['n', 'nr'], sql: (when) => `sumIf(n - nr, ${when})` },
  order_revenue: {
    name: 'order',
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
  /** The same of rows of `nowcast.rollups`. */
  rolledParts: string[]
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
  // The first that holds: an order before a purchase.
  const classes = Object.values(EVENT_CLASS).map(({ condition, number }) => `${condition}, ${number}`)
  return {
    parts: [...columns].map((column) => `${PART_COLUMNS[column]} AS ${column}`),
    rolledParts: [...columns].map((column) => `${ROLLED_COLUMNS[column]} AS ${column}`),
    nameClass: single ? undefined : `multiIf(${classes.join(', ')}, 0)`,
    condition: single && only !== undefined ? EVENT_CLASS[only].condition : undefined,
    measures: chosen.map(({ name, sql }) => sql(single || name === undefined ? '1' : EVENT_CLASS[name].selects)),
  }
}

/** The sketch of a distinct measure over parts, and its number of elements. */
export function sketchOf(measure: Measure): { united: string; counted(sketch: string): string } {
  const [column] = measure === 'active_users' ? [] : MEASURES[measure].part
  const sketch = column && SKETCHES[column]
  if (!sketch) throw new RangeError(`${measure} is no distinct count of a range`)
  return sketch
}
