import type { RawInsertFormat } from 'chdb'

/** An INSERT whose rows come apart from it, as the client sends them. */
export interface InsertStatement {
  table: string
  columns: string[] | undefined
  format: RawInsertFormat
}

const PATTERN = /^\s*INSERT\s+INTO\s+(?:TABLE\s+)?([\w.]+)\s*(?:\(([\w\s,`]+)\)\s*)?FORMAT\s+(\w+)\s*;?\s*$/i

/** The parts of an `INSERT INTO table (columns) FORMAT format`; undefined for any other statement. */
export function parseInsertStatement(sql: string): InsertStatement | undefined {
  const match = PATTERN.exec(sql)
  if (!match) return undefined
  const columns = match[2]?.split(',').map((column) => column.trim().replaceAll('`', ''))
  // chdb refuses formats that it does not take, by name.
  return { table: match[1] as string, columns, format: match[3] as RawInsertFormat }
}
