import type { WindowStatement } from '../../../ports/window-feed.ts'
import { cellFromKey } from '../../../record/cell.ts'
import { HyperLogLog } from '../../../sketch/hyperloglog.ts'
import type { CommittedRecord } from './committed-records.ts'

interface RowKey {
  kind: string
  at: number
  cell: string
}

interface RowValue {
  events?: number
  revenue?: string
  refunds?: number
  refund_revenue?: string
  users?: string
  sessions?: string
  generation?: string
  partitions?: { partition: number; first: number; next: number; first_at: number; last_at: number }[]
}

const MONEY = /^-?\d{1,36}\.\d{4}$/

/**
 * A row as the Flink job writes it: key and value are JSON, sketches are values of Redis in base64, sums are decimals
 * with four places. @throws Error when the record is no such row
 */
export function toWindowRow({ key, value }: Pick<CommittedRecord, 'key' | 'value'>): WindowStatement {
  if (!key || !value) throw new Error('a record without key or value')
  const { kind, at, cell: name } = JSON.parse(key.toString()) as RowKey
  const row = JSON.parse(value.toString()) as RowValue
  if (kind === 'positions') {
    const partitions = (row.partitions ?? []).map((each) => ({
      partition: integer(each.partition),
      first: integer(each.first),
      next: integer(each.next),
      firstAt: integer(each.first_at),
      lastAt: integer(each.last_at),
    }))
    if (typeof row.generation !== 'string') throw new Error('positions without a generation')
    return { kind, generation: row.generation, partitions }
  }
  const cell = cellFromKey(String(name))
  const events = integer(row.events)
  if (kind === 'second') return { kind, second: integer(at), cell, events }
  if (kind !== 'minute') throw new Error(`a row of the unknown kind ${kind}`)
  const content = {
    cell,
    events,
    revenue: units(row.revenue),
    refunds: integer(row.refunds),
    refundRevenue: units(row.refund_revenue),
    users: sketch(row.users),
    sessions: sketch(row.sessions),
  }
  return { kind, minute: integer(at), content }
}

function integer(value: unknown): number {
  if (!Number.isSafeInteger(value)) throw new Error(`${value} is no integer`)
  return value as number
}

/** Ten-thousandths. */
function units(text: unknown): bigint {
  if (typeof text !== 'string' || !MONEY.test(text)) throw new Error(`${text} is no sum with four places`)
  return BigInt(text.replace('.', ''))
}

const sketch = (text: string | undefined) =>
  text === undefined ? undefined : HyperLogLog.fromRedis(Buffer.from(text, 'base64'))
