import type { ImportFormat } from './import-format.ts'

/** Counts of one file over all its runs, an interrupted one included: `lines = accepted + rejected + blank`. */
export interface LineTotals {
  /** Lines of a log or an NDJSON file; records of a CSV file, without its header. */
  lines: number
  /** Acknowledged by the server, and thereby durable. */
  accepted: number
  rejected: number
  blank: number
  /** Rejected lines by reason. */
  rejectedBy: Record<string, number>
}

export interface FileReport extends LineTotals {
  file: string
  /** Absent when the file is empty or was imported before. */
  format?: ImportFormat
  status: 'imported' | 'already imported' | 'stopped'
  /** The last line that earlier runs had imported, where this one went on. */
  resumedAfterLine?: number
  /** Where the rejected lines are written, one JSON object each. */
  rejectedFile?: string
  /** Something worth knowing, in a sentence. */
  note?: string
  elapsedMs: number
  /** Events of this run per second. */
  eventsPerSecond: number
}

export interface ImportReport extends LineTotals {
  files: FileReport[]
  elapsedMs: number
  /** Events of this run per second. */
  eventsPerSecond: number
}

export function sumReports(files: FileReport[], elapsedMs: number): ImportReport {
  const sum: ImportReport = {
    files,
    lines: 0,
    accepted: 0,
    rejected: 0,
    blank: 0,
    rejectedBy: {},
    elapsedMs,
    eventsPerSecond: 0,
  }
  let events = 0
  for (const file of files) {
    sum.lines += file.lines
    sum.accepted += file.accepted
    sum.rejected += file.rejected
    sum.blank += file.blank
    for (const [code, count] of Object.entries(file.rejectedBy)) {
      sum.rejectedBy[code] = (sum.rejectedBy[code] ?? 0) + count
    }
    events += (file.eventsPerSecond * file.elapsedMs) / 1000
  }
  sum.eventsPerSecond = elapsedMs > 0 ? Math.round((events * 1000) / elapsedMs) : 0
  return sum
}
