/** An INSERT whose rows come apart from it, as the client sends them. */
export interface InsertStatement {
  /** Table, with its columns where they are named. */
  target: string
  format: string
}

const PATTERN = /^\s*INSERT\s+INTO\s+(\S[\s\S]*?)\s*\bFORMAT\s+(\w+)\s*;?\s*$/i

/** The parts of an `INSERT INTO table (columns) FORMAT format`; undefined for any other statement. */
export function parseInsertStatement(sql: string): InsertStatement | undefined {
  const match = PATTERN.exec(sql)
  return match ? { target: match[1] as string, format: match[2] as string } : undefined
}
