import type { Finding } from '../../ports/finding.ts'

/** An insert makes one part a month, and merges take some time: with fewer they are soon refused. */
const LEAST_PARTS = 300
const LEAST_PARTS_IN_ALL = 10_000
/** What the table of events must have so that an acknowledged insert outlives a power cut. */
const DURABLE = ['fsync_after_insert', 'fsync_part_directory']

/** What ClickHouse says of the table of events. */
export interface EventsTable {
  /** Its engine with its settings, as in `system.tables`. */
  engine: string
  statement: string
  name: string
}

/** @param found version of the tables; undefined where there are none yet */
export function checkVersionOfTables(found: number | undefined, known: number): Finding {
  const what = 'ClickHouse tables'
  if (found === undefined) return { what, ok: true, message: 'not there yet: the server makes them at its first start' }
  if (found > known) {
    return { what, ok: false, message: `of version ${found}, this Nowcast knows ${known}: upgrade Nowcast` }
  }
  const message = `version ${found}${found < known ? `, brought to ${known} at the next start` : ''}`
  return { what, ok: true, message }
}

/** @param settings what the server gives tables that do not say otherwise */
export function checkParts(settings: ReadonlyMap<string, string>, table: EventsTable | undefined): Finding {
  const settingOf = (name: string) => Number((table && ownSetting(table, name)) ?? settings.get(name))
  const low = Object.entries({ parts_to_throw_insert: LEAST_PARTS, max_parts_in_total: LEAST_PARTS_IN_ALL }).filter(
    ([name, least]) => settingOf(name) < least,
  )
  const what = 'ClickHouse parts'
  if (low.length === 0) {
    return { what, ok: true, message: `inserts are refused beyond ${settingOf('parts_to_throw_insert')} parts a month` }
  }
  const isOwn = table !== undefined && low.some(([name]) => ownSetting(table, name) !== undefined)
  const wanted = low.map(([name, least]) => `${name} = ${least}`).join(', ')
  const found = low.map(([name]) => `${name} = ${settingOf(name)}`).join(', ')
  const how = isOwn
    ? `ALTER TABLE nowcast.${table.name} MODIFY SETTING ${wanted}`
    : `set ${wanted} or more in merge_tree`
  return { what, ok: false, message: `inserts are refused while merges are a little behind (${found}): ${how}` }
}

export function checkDurability(table: EventsTable): Finding {
  const missing = DURABLE.filter((name) => ownSetting(table, name) !== '1')
  const what = 'ClickHouse durability'
  if (missing.length === 0) return { what, ok: true, message: 'rows are on the disk before an insert is answered' }
  const change = missing.map((name) => `${name} = 1`).join(', ')
  const message = `a power cut may lose rows of answered inserts: ALTER TABLE nowcast.${table.name} MODIFY SETTING ${change}`
  return { what, ok: false, message }
}

export function checkLease(table: EventsTable): Finding {
  const constraint = 'CONSTRAINT lease CHECK nowInBlock64() <= insert_before'
  const ok = table.statement.includes(constraint)
  const message = ok
    ? 'rows of an archiver that was replaced are refused'
    : `an archiver that was stopped for a while may write rows twice: ALTER TABLE nowcast.${table.name} ADD ${constraint}`
  return { what: 'ClickHouse lease', ok, message }
}

function ownSetting({ engine }: EventsTable, name: string): string | undefined {
  return new RegExp(`\\b${name} = (\\d+)`).exec(engine.slice(engine.indexOf(' SETTINGS ')))?.[1]
}
