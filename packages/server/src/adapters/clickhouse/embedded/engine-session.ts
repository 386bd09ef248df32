import type { Session } from 'chdb'
import { toEngineError } from './engine-error.ts'
import type { InsertStatement } from './insert-statement.ts'

const UNKNOWN_SETTING = 115
const READONLY = 164
/** No setting or database has this value. */
const UNKNOWN = '\0'

/** What of a request decides how a statement runs. */
export interface StatementOptions {
  database: string | undefined
  /** Format of the answer where the statement names none. */
  format: string
  settings: Record<string, string>
  /** Values of `{name:Type}`, in ClickHouse's escaped text form, as HTTP carries them. */
  parameters: Record<string, string>
}

/** One chdb session, which runs one statement at a time with its own settings and parameters. */
export interface EngineSession {
  query(sql: string, options: StatementOptions): Promise<Uint8Array>
  /** Inserts the rows of a file; returns how many there were. */
  insertFile(statement: InsertStatement, path: string, options: StatementOptions): Promise<number>
  close(): void
}

/**
 * chdb's own parameter binding is process-wide and would serialize all sessions; `SET param_…` is a session's own. So
 * parameters and settings are set before each statement, and settings the statement does not carry are set back.
 *
 * @param open opens a session; again when one has become read-only, which no setting takes back
 */
export function createEngineSession(open: () => Session): EngineSession {
  let session = open()
  let held: Record<string, string> = {}
  let database = 'default'
  let isReadOnly = false

  const reopen = () => {
    session.close()
    session = open()
    held = {}
    database = 'default'
    isReadOnly = false
  }

  const prepare = (options: StatementOptions): string => {
    const changes: string[] = []
    for (const [name, value] of Object.entries(options.settings)) {
      if (held[name] !== value) changes.push(`${identifier(name)} = ${literal(value)}`)
    }
    for (const name of Object.keys(held)) {
      if (!(name in options.settings)) changes.push(`${identifier(name)} = DEFAULT`)
    }
    for (const [name, value] of Object.entries(options.parameters)) {
      changes.push(`${identifier(`param_${name}`)} = ${literal(value)}`)
    }
    const set = changes.length === 0 ? '' : `SET ${changes.join(', ')};\n`
    const wanted = options.database ?? 'default'
    return wanted === database ? set : `USE ${identifier(wanted)};\n${set}`
  }

  const run = async (sql: string, options: StatementOptions) => {
    if (isReadOnly) reopen()
    isReadOnly = (options.settings.readonly ?? '0') !== '0'
    try {
      const result = await session.queryAsync(prepare(options) + sql, { format: options.format })
      held = { ...options.settings }
      database = options.database ?? 'default'
      return result
    } catch (error) {
      const failure = toEngineError(error)
      isReadOnly ||= failure.code === READONLY
      // How far the statements came is unknown: set everything the next time, and back what only this one had.
      const own = failure.code === UNKNOWN_SETTING ? [] : Object.keys(options.settings)
      held = Object.fromEntries([...Object.keys(held), ...own].map((name) => [name, UNKNOWN]))
      database = UNKNOWN
      throw failure
    }
  }

  return {
    query: async (sql, options) => (await run(sql, options)).bytes(),
    async insertFile({ target, format }, path, options) {
      const sql = `INSERT INTO ${target} FROM INFILE ${literal(path)} COMPRESSION 'none' FORMAT ${identifier(format)}`
      return (await run(sql, options)).rowsRead
    },
    close: () => session.close(),
  }
}

/** A name, when it is one at all. */
function identifier(name: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw new RangeError(`not a name: ${JSON.stringify(name)}`)
  return name
}

function literal(value: string): string {
  return `'${value.replace(/\\/g, '\\\\').replace(/'/g, "\\'").replace(/\0/g, '\\0')}'`
}
