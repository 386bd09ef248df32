import { performance } from 'node:perf_hooks'
import { createEventSender, SendError } from '../event-sender.ts'
import type { RecordReader, SourceRecord } from './formats/record-reader.ts'
import type { FileIdentity } from './identify-file.ts'
import { ImportError } from './import-error.ts'
import type { ImportFormat } from './import-format.ts'
import type { FileImportOptions } from './import-options.ts'
import type { FileReport } from './import-report.ts'
import { createImportSaver } from './import-saver.ts'
import { createLineLedger } from './line-ledger.ts'
import type { ImportState } from './progress-file.ts'
import { openSourceBytes } from './source-bytes.ts'
import { splitLines } from './split-lines.ts'

/** How often progress is saved and shown. */
const SAVE_MS = 250
/** A file of which so many lines were rejected and none accepted has another format. */
const PROBE_LINES = 100

export interface ImportRun {
  /** Where the import stands. */
  state: ImportState
  identity: FileIdentity
  format: ImportFormat
  reader: RecordReader
  options: FileImportOptions
  /** Called at the end, and before an error when something is imported. */
  onReport: (report: FileReport) => void
  /** The error for a file of which no line is accepted. */
  wrongFormat: (reason: string) => ImportError
}

/** Sends a file's events, and saves how far they are acknowledged. @throws ImportError */
export async function runImport({
  state,
  identity,
  format,
  reader,
  options,
  onReport,
  wrongFormat,
}: ImportRun): Promise<void> {
  const { signal, url, key, lanes, giveUpAfterMs } = options
  const { file } = state
  const startedAt = performance.now()
  const ledger = createLineLedger({ line: state.line, totals: state })
  const saver = createImportSaver(state, options.stateDir, ledger)
  const source = openSourceBytes(file, identity)
  const stop = new AbortController()
  const sender = createEventSender({
    url,
    key,
    lanes,
    giveUpAfterMs,
    signal: signal ? AbortSignal.any([signal, stop.signal]) : stop.signal,
    onSettled: (tag, rejection) => (rejection ? ledger.reject(tag, rejection) : ledger.accept(tag)),
    onWaiting: options.notice,
    onFailed: (error) => ledger.fail(error),
  })

  async function enter(records: SourceRecord[]): Promise<void> {
    if (signal?.aborted) throw new SendError('interrupted', 'Stopped.')
    for (const { line, lastLine, text, event, rejection } of records) {
      const tag = ledger.open(line, lastLine, text)
      if (event) {
        event.id ??= `${state.identity}:${line}`
        if (!sender.push(event, tag))
          ledger.reject(tag, { code: 'event_too_large', message: 'The event is too large.' })
      } else if (rejection) {
        ledger.reject(tag, rejection)
      } else {
        ledger.blank(tag)
      }
    }
    await ledger.room()
    await sender.ready()
    requireAccepted(PROBE_LINES)
  }

  function requireAccepted(lines: number): void {
    const { accepted, rejected } = ledger.totals
    if (accepted === 0 && rejected >= lines) throw wrongFormat(ledger.firstRejection?.message ?? 'unknown.')
  }

  function report(status: FileReport['status']): FileReport {
    const elapsedMs = Math.round(performance.now() - startedAt)
    return {
      file,
      format,
      status,
      ...ledger.totals,
      ...(state.line > 0 && { resumedAfterLine: state.line }),
      ...(saver.rejectedFile !== undefined && { rejectedFile: saver.rejectedFile }),
      elapsedMs,
      eventsPerSecond: Math.round(((ledger.totals.accepted - state.accepted) * 1000) / Math.max(1, elapsedMs)),
    }
  }

  function showProgress(): void {
    const { lines, accepted, rejected, eventsPerSecond } = report('stopped')
    const { bytesRead } = source
    options.progress?.({
      file,
      phase: 'importing',
      bytesRead,
      bytesTotal: identity.bytes,
      lines,
      accepted,
      rejected,
      eventsPerSecond,
    })
  }

  const timer = setInterval(() => {
    saver.save().catch((error) => ledger.fail(error))
    showProgress()
  }, SAVE_MS)
  try {
    for await (const lines of splitLines(source.chunks, { wholeLines: identity.truncated })) {
      await enter(reader.read(lines))
    }
    if (!identity.truncated) await enter(reader.end())
    await sender.drain()
    requireAccepted(1)
    if (identity.truncated) throw truncated(file, ledger.line)
    await saver.saveLast(true)
    showProgress()
    onReport(report('imported'))
  } catch (error) {
    stop.abort()
    await saver.saveLast(false).catch(() => {})
    if (ledger.totals.accepted > 0) onReport(report('stopped'))
    throw toImportError(error, file, ledger.line)
  } finally {
    clearInterval(timer)
  }
}

function truncated(file: string, line: number): ImportError {
  return new ImportError(
    'truncated_gzip',
    `The gzip data of ${file} end too early, after line ${line}. The lines up to there are imported; get the whole file and start the same import again: it goes on after them.`,
  )
}

function toImportError(error: unknown, file: string, line: number): ImportError {
  if (error instanceof ImportError) return error
  const { message } = error as Error
  const goOn =
    line > 0
      ? `${file} is imported up to line ${line}; the same import goes on there.`
      : `Nothing of ${file} is imported.`
  if (error instanceof SendError) return new ImportError(error.code, `${message} ${goOn}`, error)
  return new ImportError('unreadable', `The import of ${file} failed: ${message}. ${goOn}`, error)
}
