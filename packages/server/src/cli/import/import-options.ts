import type { ImportFormat } from './import-format.ts'
import type { EventMap } from './map/event-map.ts'

export interface ImportProgress {
  file: string
  /** `checking`: the file is read once to know it again; `importing`: its events are sent. */
  phase: 'checking' | 'importing'
  /** Bytes as stored, compressed or not. */
  bytesRead: number
  bytesTotal: number
  lines: number
  accepted: number
  rejected: number
  /** Of this run. */
  eventsPerSecond: number
}

export interface ImportOptions {
  files: string[]
  /** @default guessed for each file from its content and name */
  format?: ImportFormat
  /** Where each event field comes from, for `csv` and `ndjson`: see `EventMap`. */
  map?: unknown
  /** Of CSV, one character. @default guessed from the header */
  delimiter?: string
  /** IANA zone of timestamps that carry none. @default 'UTC' */
  zone?: string
  /** Project id; a file counts as imported per project. */
  project: string
  /** Address of a running server. */
  url: string
  /** The project's secret key. */
  key: string
  /** Folder for progress files, made with mode 0700 when absent. */
  stateDir: string
  /** Import a finished file again, or an interrupted one from its first line. @default false */
  force?: boolean
  progress?: (progress: ImportProgress) => void
  /** Called with a sentence when the import has to wait for the server. */
  notice?: (message: string) => void
  signal?: AbortSignal
  /** Requests in flight. @default 4 */
  lanes?: number
  /** How long one request is tried, in ms. @default 300_000 */
  giveUpAfterMs?: number
}

/** Options after they were checked. */
export interface FileImportOptions extends Omit<ImportOptions, 'files' | 'map'> {
  map: EventMap | undefined
  zone: string
}
