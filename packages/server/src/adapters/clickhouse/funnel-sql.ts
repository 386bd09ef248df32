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

/** Users are told apart by their hash; one of `of` parts of them is looked at. */
export interface UserShare {
  share: number
  of: number
}

/** How many events the steps of a funnel match. */
export function funnelSizeStatement(request: FunnelRequest): FunnelStatement {
  const parameters = new QueryParameters()
  const { where } = stepsSql(request, parameters)
  return { sql: `SELECT count() FROM nowcast.events WHERE ${where}`, parameters: parameters.values }
}

/**
 * The statement whose rows are: 1 for all users or 0 for a key, the key, users a step.
 *
 * A user's events stand in one array in the order of time, then of the log. For each step an array of the same length
 * says of the latest attempt that has come so far by then: when it began, and with which event. An attempt that began
 * later has more time left, so that the others can be forgotten: `windowFunnel` reasons the same way, but knows no order
 * among equal times, and lets one event be two steps.
 */
export function funnelStatement(request: FunnelRequest, { share, of }: UserShare): FunnelStatement {
  const parameters = new QueryParameters()
  const { matches, where } = stepsSql(request, parameters)
  const windowMs = parameters.add(request.windowMs, 'Int64')
  const bits = matches.map((match, i) => `bitShiftLeft(toUInt32(${match}), ${i})`).join(' + ')
  const key = request.breakdown === undefined ? "''" : `toString(${dimensionSql(request.breakdown, parameters)})`
  const some = of === 1 ? '' : ` AND user_hash % ${parameters.add(of, 'UInt32')} = ${parameters.add(share, 'UInt32')}`
  const none = '(toInt64(-1), toUInt32(0))'
  const levels = matches.map((_, i) => {
    const condition = i === 0 ? '' : ` AND before.1 >= 0 AND time - before.1 <= ${windowMs}`
    const attempt = i === 0 ? '(time, place)' : 'before'
    const found = `if(bitTest(step, ${i})${condition}, ${attempt}, ${none})`
    const over = i === 0 ? 'places' : `arrayPushFront(arrayPopBack(level${i - 1}), ${none})`
    const name = i === 0 ? 'place' : 'before'
    return `arrayFill(last -> last.1 >= 0, arrayMap((time, step, ${name}) -> ${found}, times, steps, ${over})) AS level${i}`
  })
  const last = matches.length - 1
  const reached = levels.map((_, i) => `toUInt8((level${i}[-1]).1 >= 0)`).join(' + ')
  const best = levels.map((_, i) => `reached = ${i + 1}, (level${i}[-1]).2`).slice(0, last)
  const place = last === 0 ? '(level0[-1]).2' : `multiIf(${best.join(', ')}, (level${last}[-1]).2)`
  const columns = matches.map((_, i) => `countIf(reached > ${i}) AS users${i}`)
  const sql = `SELECT toUInt8(grouping(k)) AS whole, k, ${columns.join(', ')}
FROM
(
  SELECT
    arraySort(groupArray((toUnixTimestamp64Milli(ts), log_epoch, log_partition, log_offset, ${bits}, ${key}))) AS events,
    arrayMap(event -> event.1, events) AS times,
    arrayMap(event -> event.5, events) AS steps,
    arrayEnumerate(events) AS places,
    ${levels.join(',\n    ')},
    ${reached} AS reached,
    (events[${place}]).6 AS k
  FROM nowcast.events
  WHERE ${where}${some}
  GROUP BY user_hash
)
WHERE reached > 0
GROUP BY GROUPING SETS ((), (k))
ORDER BY whole DESC, users0 DESC, k
LIMIT ${parameters.add(MAX_KEYS + 1, 'UInt32')}`
  return { sql, parameters: parameters.values }
}

function stepsSql(request: FunnelRequest, parameters: QueryParameters): { matches: string[]; where: string } {
  const { from, to, steps } = request
  const selected = [...selectionSql(request, parameters), segmentSql({ source: 'raw', from, to }, parameters)]
  const matches = steps.map(({ name, filters }) => {
    const conditions = [`name = ${parameters.add(name, 'String')}`]
    for (const { dimension, values } of filters) {
      conditions.push(`${dimensionSql(dimension, parameters)} IN ${parameters.add(values, 'Array(String)')}`)
    }
    return `(${conditions.join(' AND ')})`
  })
  return { matches, where: `${selected.join(' AND ')} AND (${matches.join(' OR ')})` }
}
