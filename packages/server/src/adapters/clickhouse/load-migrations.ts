import { readdir, readFile } from 'node:fs/promises'

/** One step of the tables' history. */
export interface Migration {
  version: number
  /** The file's name without its number: `events`. */
  name: string
  statements: string[]
}

const FILE = /^(\d{4})-([a-z0-9-]+)\.sql$/

/** The `.sql` files of the folder `migrations` beside this module, and beside the bundle that it becomes part of. */
export async function loadMigrations(folder = new URL('./migrations/', import.meta.url)): Promise<Migration[]> {
  const migrations: Migration[] = []
  for (const file of (await readdir(folder)).sort()) {
    const match = FILE.exec(file)
    if (!match) continue
    const statements = splitStatements(await readFile(new URL(file, folder), 'utf8'))
    migrations.push({ version: Number(match[1]), name: match[2] as string, statements })
  }
  return migrations
}

/** Statements end with a semicolon at the end of a line. */
export function splitStatements(sql: string): string[] {
  return sql
    .split(/;\s*(?:\n|$)/)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '')
}
