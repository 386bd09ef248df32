import type { ImportReport } from './import-report.ts'

export type ImportErrorCode =
  | 'invalid_option'
  | 'invalid_map'
  | 'unknown_column'
  | 'not_found'
  | 'not_a_file'
  | 'unreadable'
  | 'unknown_format'
  | 'wrong_format'
  | 'already_imported'
  | 'settings_differ'
  | 'truncated_gzip'
  | 'corrupt_gzip'
  | 'file_changed'
  | 'unreachable'
  | 'refused'
  | 'interrupted'

/** Why an import stopped; the message says what to do. */
export class ImportError extends Error {
  readonly code: ImportErrorCode
  /** What was done before it stopped, as far as it is acknowledged. */
  report: ImportReport | undefined

  constructor(code: ImportErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'ImportError'
    this.code = code
  }
}
