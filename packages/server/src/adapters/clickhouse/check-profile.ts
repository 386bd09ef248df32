import type { ClickHouseSettings } from '@clickhouse/client'
import type { Finding } from '../../ports/finding.ts'
import { COPYING, DROPPING, EXPORTING, INSERTING, NOTING, REWRITING } from './statement-settings.ts'

/** A setting as `system.settings` has it for the user that asks. */
export interface UserSetting {
  name: string
  value: string
  /** Bounds of the profile within which it may be set. */
  min: string | null
  max: string | null
  /** Whether the profile forbids to set it at all. */
  isFixed: boolean
}

/** How long statements may take, and how much memory; as the server is configured. */
export interface StatementBounds {
  /** @default 30000 */
  queryTimeoutMs?: number
  /** @default 1 GiB */
  queryMemoryBytes?: number
}

const STATEMENT_S = 60
/** Rights by what cannot be done without them; all of SHOW or CREATE cannot be had on one database. */
const RIGHTS: Record<string, string> = {
  'SHOW TABLES': 'to find the tables',
  SELECT: 'to answer questions',
  INSERT: 'to archive events',
  'CREATE DATABASE': 'to make the database',
  'CREATE TABLE': 'to make the tables',
  ALTER: 'to bring the tables to a newer version, and to delete old months and users',
  TRUNCATE: 'to delete users',
}
export const NEEDED_RIGHTS = Object.keys(RIGHTS)

/** A profile must not bound what is read: long ranges, many cells. 0 is none. */
const BOUNDS = [
  ...['max_rows_to_read', 'max_bytes_to_read', 'max_rows_to_group_by', 'max_rows_to_sort', 'max_bytes_to_sort'],
  ...['max_result_rows', 'max_rows_to_transfer', 'max_bytes_to_transfer', 'max_rows_in_set', 'max_bytes_in_set'],
  ...['max_rows_in_join', 'max_bytes_in_join'],
]
/** With any other, an answer that became too long is cut, and looks whole. */
const OVERFLOW_MODES = [
  ...['timeout_overflow_mode', 'read_overflow_mode', 'group_by_overflow_mode', 'sort_overflow_mode'],
  ...['result_overflow_mode', 'transfer_overflow_mode', 'set_overflow_mode', 'join_overflow_mode'],
]

/** What each kind of statement carries. */
function carried({ queryTimeoutMs = 30_000, queryMemoryBytes = 2 ** 30 }: StatementBounds) {
  const asking = { max_execution_time: Math.ceil(queryTimeoutMs / 1000), max_memory_usage: String(queryMemoryBytes) }
  const all: [does: string, settings: ClickHouseSettings][] = [
    ['archiving events', INSERTING],
    ['answering questions', { ...asking, output_format_json_quote_64bit_integers: 1 }],
    ['preparing tables', { max_execution_time: STATEMENT_S, ...NOTING }],
    ['rolling up old months', { ...COPYING, ...DROPPING }],
    ['deleting a user', REWRITING],
    ['exporting events', EXPORTING],
  ]
  return all
}

/** Names of all settings that a check of a profile looks at. */
export function checkedSettings(bounds: StatementBounds): string[] {
  const sent = carried(bounds).flatMap(([, settings]) => Object.keys(settings))
  return [...new Set([...sent, ...BOUNDS, ...OVERFLOW_MODES, 'readonly', 'allow_ddl', 'optimize_use_projections'])]
}

/** Whether the user may do what Nowcast does, by the settings of its profile. */
export function checkProfile(found: readonly UserSetting[], bounds: StatementBounds): Finding[] {
  const settings = new Map(found.map((setting) => [setting.name, setting]))
  const settingOf = (name: string) => settings.get(name)?.value
  return [
    checkReadonly(settingOf('readonly') ?? '0', settingOf('allow_ddl') ?? '1'),
    checkConstraints(settings, bounds),
    checkBounds(settingOf),
  ]
}

function checkReadonly(readonly: string, ddl: string): Finding {
  const what = 'ClickHouse readonly'
  if (readonly !== '0') {
    const message = `the user may only read (readonly = ${readonly}): give --clickhouse one with readonly = 0`
    return { what, ok: false, message }
  }
  const ok = ddl !== '0'
  const message = ok ? 'the user may write' : 'the user may not make tables (allow_ddl = 0): set allow_ddl = 1 for it'
  return { what, ok, message }
}

function checkConstraints(settings: ReadonlyMap<string, UserSetting>, bounds: StatementBounds): Finding {
  const refused = new Map<string, string[]>()
  for (const [does, wanted] of carried(bounds)) {
    for (const [name, value] of Object.entries(wanted)) {
      const setting = settings.get(name)
      const reason = setting && refusalOf(setting, String(value))
      if (!reason) continue
      const subject = `${name} is ${reason}`
      refused.set(subject, [...(refused.get(subject) ?? []), `${value} for ${does}`])
    }
  }
  const what = 'ClickHouse settings'
  if (refused.size === 0) return { what, ok: true, message: 'the user may set what statements carry' }
  const list = [...refused].map(([subject, needs]) => `${subject}, but must be ${needs.join(', ')}`).join('; ')
  const message = `the user's profile forbids what statements set: take these constraints out of it. ${list}`
  return { what, ok: false, message }
}

/** Why a setting cannot have this value; a fixed one may be "set" to what it is. */
function refusalOf({ value, min, max, isFixed }: UserSetting, wanted: string): string | undefined {
  if (isFixed && value !== wanted) return `fixed at ${value}`
  if (max !== null && Number(wanted) > Number(max)) return `at most ${max}`
  if (min !== null && Number(wanted) < Number(min)) return `at least ${min}`
  return undefined
}

function checkBounds(settingOf: (name: string) => string | undefined): Finding {
  const what = 'ClickHouse limits'
  const cut = OVERFLOW_MODES.filter((name) => (settingOf(name) ?? 'throw') !== 'throw')
  if (cut.length > 0) {
    const message = `answers may be cut and look whole (${cut.map((name) => `${name} = ${settingOf(name)}`).join(', ')}): set ${cut.length > 1 ? 'each' : 'it'} to 'throw' in the user's profile`
    return { what, ok: false, message }
  }
  const bounds = BOUNDS.filter((name) => (settingOf(name) ?? '0') !== '0')
  if (bounds.length > 0) {
    const message = `questions over long ranges are refused (${bounds.map((name) => `${name} = ${settingOf(name)}`).join(', ')}): set ${bounds.length > 1 ? 'each' : 'it'} to 0 in the user's profile; Nowcast bounds their time and memory`
    return { what, ok: false, message }
  }
  if (settingOf('optimize_use_projections') === '0') {
    const message =
      "questions read every event instead of rollups (optimize_use_projections = 0): set it to 1 in the user's profile"
    return { what, ok: false, message }
  }
  return { what, ok: true, message: 'the user’s profile does not bound what questions read' }
}

/** @param lacking rights on the database `nowcast` that the user does not have */
export function checkRights(lacking: readonly string[]): Finding {
  const what = 'ClickHouse rights'
  if (lacking.length === 0) return { what, ok: true, message: 'the user has the rights that are needed' }
  const list = lacking.map((right) => `${right} ${RIGHTS[right]}`).join(', ')
  const message = `the user lacks ${list}: GRANT ${lacking.join(', ')} ON nowcast.* TO it`
  return { what, ok: false, message }
}
