import { createHash } from 'node:crypto'
import type { FileIdentity } from './identify-file.ts'
import { ImportError } from './import-error.ts'
import type { FileContent, ImportState } from './progress-file.ts'

/** Characters of the content's hash that begin an event's id. */
const IDENTITY_LENGTH = 24

export interface ResumeRequest {
  file: string
  project: string
  /** What an event is made with, besides the file: a change makes other events of the same lines. */
  settings: Record<string, string>
  force: boolean
}

/**
 * Where the import of a file begins: at its first line, where an interrupted import stopped, or after the lines it
 * had when it was imported before and was shorter (a log that has grown, a download that is now complete).
 * @returns undefined when it is imported already
 * @throws ImportError `settings_differ`
 */
export function resumeImport(
  states: ImportState[],
  content: FileIdentity,
  { file, project, settings, force }: ResumeRequest,
): ImportState | undefined {
  const { bytes, sha256 } = content
  const isThis = (known: FileContent) => known.bytes === bytes && known.sha256 === sha256
  const same = states.find((state) => isThis(state.content))
  const grown = states.find(
    ({ content: known }) => known.bytes > 0 && content.beginnings.get(known.bytes) === known.sha256,
  )
  const former = states.find((state) => state.earlier.some(isThis))
  const found = same ?? grown ?? former
  const fresh: ImportState = {
    version: 1,
    project,
    file,
    identity: found?.identity ?? sha256.slice(0, IDENTITY_LENGTH),
    content: { bytes, sha256 },
    earlier: [...(found?.earlier ?? []), ...(found && found === grown ? [found.content] : [])],
    settings,
    line: 0,
    lines: 0,
    accepted: 0,
    rejected: 0,
    blank: 0,
    rejectedBy: {},
    rejectedBytes: 0,
    finished: false,
  }
  if (!found || force) return fresh
  if (found === former || (found === same && found.finished)) return undefined
  requireSameSettings(file, found.settings, settings)
  return { ...found, file, content: fresh.content, earlier: fresh.earlier, finished: false }
}

function requireSameSettings(file: string, before: Record<string, string>, now: Record<string, string>): void {
  const changed = Object.keys({ ...before, ...now }).filter((name) => before[name] !== now[name])
  if (changed.length === 0) return
  const list = changed.map((name) => (name === 'map' || name === 'key' ? name : `${name} (${before[name]})`)).join(', ')
  throw new ImportError(
    'settings_differ',
    `A part of ${file} was imported with another ${list}: use the same again, or --force to begin at its first line.`,
  )
}

/** Settings as they are compared: the map without regard to the order of its keys, the key as a hash. */
export function settingsOf(settings: {
  format: string
  delimiter: string
  zone: string
  map: unknown
  key: string
}): Record<string, string> {
  const key = createHash('sha256').update(settings.key).digest('hex').slice(0, 16)
  return {
    format: settings.format,
    delimiter: settings.delimiter,
    zone: settings.zone,
    map: canonical(settings.map ?? null),
    key,
  }
}

/** JSON with sorted keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
}
