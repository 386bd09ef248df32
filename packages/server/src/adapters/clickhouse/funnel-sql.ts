import type { FunnelRequest } from '../../ports/event-store.ts'
import { dimensionSql, selectionSql } from './dimension-sql.ts'
import { QueryParameters } from './query-parameters.ts'
import { segmentSql } from './time-segments.ts'

/** Most values of a breakdown that come back. */
const MAX_KEYS = 100_000

export interface FunnelStatement {
  sql: string
  parameters: Record<string, unknown>
}

/** One pass over the events. */
export interface FunnelPass {
  /** Users are told apart by their hash; one of `of` parts of them is looked at. */
  share: number
  of: number
  /** All names are known by their cells, which cost much less to read. */
  byCells: boolean
}

/** How many events the steps of a funnel match. */
export function funnelSizeStatement(request: FunnelRequest): FunnelStatement {
  const parameters = new QueryParameters()
  const { where } = stepsSql(request, parameters, 'name')
  return { sql: `SELECT count() FROM nowcast.events WHERE ${where}`, parameters: parameters.values }
}

/**
 * The statement whose rows are: 1 for all users or 0 for a key, the key, users a step.
 *
 * A user's events stand in one array in the order of time, then of the log. For each step an array of the same length
 * says of the latest attempt that has come so far by then: when it began, and for a breakdown with which event. An
 * attempt that began later has more time left, so that the others can be forgotten: `windowFunnel` reasons the same way,
 * but knows no order among equal times, and lets one event be two steps.
 */
export function funnelStatement(request: FunnelRequest, { share, of, byCells }: FunnelPass): FunnelStatement {
  const parameters = new QueryParameters()
  const { matches, where } = stepsSql(request, parameters, byCells ? 'cell_name' : 'name')
  const { breakdown } = request
  const windowMs = parameters.add(request.windowMs, 'Int64')
  const bits = matches.map((match, i) => `bitShiftLeft(toUInt32(${match}), ${i})`).join(' + ')
  const packed = packedSql(bits)
  const some = of === 1 ? '' : ` AND user_hash % ${parameters.add(of, 'UInt32')} = ${parameters.add(share, 'UInt32')}`
  const attempts = breakdown === undefined ? TIMED : PLACED
  const levels = matches.map((_, i) => attempts.level(i, windowMs))
  const reached = levels.map((_, i) => `toUInt8(${attempts.begun(`level${i}[-1]`)} >= 0)`).join(' + ')
  const columns = matches.map((_, i) => `countIf(reached > ${i}) AS users${i}`)
  const [event, place, key] =
    breakdown === undefined
      ? [packed, 'event', '']
      : [
          `(${packed}, toString(${dimensionSql(breakdown, parameters)}))`,
          'event.1',
          `,\n    (events[${placeSql(matches.length)}]).2 AS k`,
        ]
  const users = `  SELECT
    arraySort(groupArray(${event})) AS events,
    arrayMap(event -> toInt64(bitShiftRight(${place}, ${TIME_AT})), events) AS times,
    arrayMap(event -> toUInt32(${place}), events) AS steps,
    ${levels.join(',\n    ')},
    ${reached} AS reached${key}
  FROM nowcast.events
  WHERE ${where}${some}
  GROUP BY user_hash`
  const sql =
    breakdown === undefined
      ? `SELECT toUInt8(1) AS whole, '' AS k, ${columns.join(', ')}
FROM
(
${users}
)`
      : `SELECT toUInt8(grouping(k)) AS whole, k, ${columns.join(', ')}
FROM
(
${users}
)
WHERE reached > 0
GROUP BY GROUPING SETS ((), (k))
ORDER BY whole DESC, users0 DESC, k
LIMIT ${parameters.add(MAX_KEYS + 1, 'UInt32')}`
  return { sql, parameters: parameters.values }
}

/** Bits of a packed event below its time: epoch, partition and offset in the log, and the steps that it is. */
const TIME_AT = 32 + 16 + 64 + 32

/** An event as one number, whose order is that of time, then of the log: it takes less memory than its parts. */
function packedSql(steps: string): string {
  const parts = [
    `bitShiftLeft(toUInt256(toUnixTimestamp64Milli(ts)), ${TIME_AT})`,
    'bitShiftLeft(toUInt256(log_epoch), 112)',
    'bitShiftLeft(toUInt256(log_partition), 96)',
    'bitShiftLeft(toUInt256(log_offset), 32)',
    `toUInt256(${steps})`,
  ]
  return parts.reduce((sum, part) => `bitOr(${sum}, ${part})`)
}

/** How an attempt is written: a statement without a breakdown need not know the event that it began with. */
interface Attempts {
  /** When an attempt began, epoch ms; below 0 for none. */
  begun(attempt: string): string
  /** The array of a step: of the latest attempt that has come to it so far. */
  level(step: number, windowMs: string): string
}

function attemptsSql(
  first: string,
  none: string,
  begun: (attempt: string) => string,
  also: [string, string][],
): Attempts {
  return {
    begun,
    level(step, windowMs) {
      const before = begun('before')
      const condition = step === 0 ? '' : ` AND ${before} >= 0 AND time - ${before} <= ${windowMs}`
      const found = `if(bitTest(step, ${step})${condition}, ${step === 0 ? first : 'before'}, ${none})`
      const over: [string, string][] =
        step === 0 ? also : [['before', `arrayPushFront(arrayPopBack(level${step - 1}), ${none})`]]
      const names = ['time', 'step', ...over.map(([name]) => name)].join(', ')
      const arrays = ['times', 'steps', ...over.map(([, array]) => array)].join(', ')
      return `arrayFill(last -> ${begun('last')} >= 0, arrayMap((${names}) -> ${found}, ${arrays})) AS level${step}`
    },
  }
}

const TIMED = attemptsSql('time', 'toInt64(-1)', (attempt) => attempt, [])
const PLACED = attemptsSql('(time, place)', '(toInt64(-1), toUInt32(0))', (attempt) => `(${attempt}).1`, [
  ['place', 'arrayEnumerate(events)'],
])

/** Place of the event with which the attempt began that came furthest. */
function placeSql(steps: number): string {
  const last = steps - 1
  if (last === 0) return '(level0[-1]).2'
  const best = Array.from({ length: last }, (_, i) => `reached = ${i + 1}, (level${i}[-1]).2`)
  return `multiIf(${best.join(', ')}, (level${last}[-1]).2)`
}

function stepsSql(
  request: FunnelRequest,
  parameters: QueryParameters,
  nameColumn: 'name' | 'cell_name',
): { matches: string[]; where: string } {
  const { from, to, steps } = request
  const selected = [...selectionSql(request, parameters), segmentSql({ source: 'raw', from, to }, parameters)]
  const matches = steps.map(({ name, filters }) => {
    const conditions = [`${nameColumn} = ${parameters.add(name, 'String')}`]
    for (const { dimension, values } of filters) {
      conditions.push(`${dimensionSql(dimension, parameters)} IN ${parameters.add(values, 'Array(String)')}`)
    }
    return `(${conditions.join(' AND ')})`
  })
  return { matches, where: `${selected.join(' AND ')} AND (${matches.join(' OR ')})` }
}
