import { createCombinedLogReader } from './formats/combined-log.ts'
import { createCsvReader } from './formats/csv.ts'
import { createNdjsonReader } from './formats/ndjson.ts'
import type { RecordReader } from './formats/record-reader.ts'
import { guessDelimiter, guessFormat, readSample, requireFormat } from './guess-format.ts'
import { identifyFile } from './identify-file.ts'
import { ImportError } from './import-error.ts'
import type { ImportFormat } from './import-format.ts'
import type { FileImportOptions } from './import-options.ts'
import type { FileReport } from './import-report.ts'
import { readImportStates } from './progress-file.ts'
import { resumeImport, settingsOf } from './resume-import.ts'
import { runImport } from './run-import.ts'

/** How often progress is shown while a file is checked. */
const SHOW_MS = 250

/**
 * Imports one file, from where an earlier run stopped.
 * @throws ImportError; `onReport` has then been called when a part of the file was imported
 */
export async function importFile(
  file: string,
  options: FileImportOptions,
  onReport: (report: FileReport) => void,
): Promise<void> {
  const { project, stateDir, force = false, progress, signal } = options
  const states = await readImportStates(stateDir, project)
  const lengths = states.map((state) => state.content.bytes)
  const nothing = { lines: 0, accepted: 0, rejected: 0, blank: 0, rejectedBy: {}, eventsPerSecond: 0 }
  let shownAt = 0
  const identity = await identifyFile(file, lengths, signal, (bytesRead, bytesTotal) => {
    if (Date.now() - shownAt < SHOW_MS) return
    shownAt = Date.now()
    progress?.({ file, phase: 'checking', bytesRead, bytesTotal, ...nothing })
  })
  if (identity.bytes === 0) {
    onReport({ file, status: 'imported', ...nothing, elapsedMs: 0, note: 'The file is empty.' })
    return
  }

  const sample = await readSample(file, identity.gzip)
  const format = options.format ?? requireFormat(sample, file)
  const delimiter = options.delimiter ?? (format === 'csv' ? guessDelimiter(sample) : '')
  if (format === 'combined-log' && options.map) {
    throw new ImportError('invalid_option', 'A map is for csv and ndjson: the fields of a log are known.')
  }
  const settings = settingsOf({ ...options, format, delimiter })
  const state = resumeImport(states, identity, { file, project, settings, force })
  if (!state) {
    onReport({ file, status: 'already imported', ...nothing, elapsedMs: 0 })
    return
  }
  await runImport({
    state,
    identity,
    format,
    reader: createReader(format, delimiter, options, state.line),
    options,
    onReport,
    wrongFormat: (reason) => wrongFormat(file, format, guessFormat(sample, file), reason),
  })
}

function createReader(
  format: ImportFormat,
  delimiter: string,
  { map, zone, key }: FileImportOptions,
  afterLine: number,
): RecordReader {
  if (format === 'combined-log') return createCombinedLogReader(key, afterLine)
  if (format === 'csv') return createCsvReader({ delimiter, map, zone, afterLine })
  return createNdjsonReader(map, zone, afterLine)
}

function wrongFormat(file: string, format: ImportFormat, guess: ImportFormat | undefined, reason: string): ImportError {
  const advice =
    guess && guess !== format
      ? `It looks like ${guess}: try --format ${guess}.`
      : format === 'combined-log'
        ? 'Is it another format? Name it with --format.'
        : 'Check the map and the format.'
  return new ImportError(
    'wrong_format',
    `Every line of ${file} so far was rejected as ${format}, the first because: ${reason} ${advice} Nothing was imported.`,
  )
}
