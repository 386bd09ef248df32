import { parseDecimal } from '../../record/decimal.ts'
import { murmurHash64A } from '../../sketch/murmur-hash-64a.ts'

/** A row of the log as ingestion writes it, with its place. */
interface LogRow {
  log_epoch: number
  log_partition: number
  log_offset: number
  received_at: number
  name: string
  country: string
  device: string
  category: string
  user_id?: string
  anonymous_id?: string
  session_id?: string
  revenue?: string
  properties?: object
  insert_before?: number
  [field: string]: unknown
}

/** A row as Druid takes it, and where it stands in the log. */
export interface DruidRow {
  epoch: number
  partition: number
  offset: number
  receivedAt: number
  value: Buffer
}

const words = new Uint32Array(2)
const halves = new BigInt64Array(words.buffer)

/** What is counted as one user or session: 64 bits, with the sign that Druid's longs have. */
function hashOf(text: string): bigint {
  murmurHash64A(text, words, 0)
  return halves[0] as bigint
}

/**
 * The record of `nowcast.unique`: the log's row, with its revenue in ten-thousandths, its properties as text, what it is
 * counted under, and hashes of its user and session.
 */
export function toDruidRow(line: string): DruidRow {
  const { insert_before, revenue, properties, ...row } = JSON.parse(line) as LogRow
  const fields = {
    cell_name: row.name,
    cell_country: row.country,
    cell_device: row.device,
    cell_category: row.category,
    hot1: '',
    hot2: '',
    unconverted: '',
    ...row,
    revenue: revenue === undefined ? 0 : parseDecimal(revenue),
    properties: JSON.stringify(properties ?? {}),
  }
  const user = hashOf(row.user_id || row.anonymous_id || '')
  const session = row.session_id ? hashOf(row.session_id) : 0n
  // Numbers of 64 bits are none of JSON.stringify's.
  const json = `${JSON.stringify(fields).slice(0, -1)},"user_hash":${user},"session_hash":${session}}`
  return {
    epoch: row.log_epoch,
    partition: row.log_partition,
    offset: row.log_offset,
    receivedAt: row.received_at,
    value: Buffer.from(json),
  }
}
