import type { LineLedger } from './line-ledger.ts'
import { type ImportState, writeImportState } from './progress-file.ts'
import { openRejectedLines, type RejectedLines } from './rejected-lines.ts'

export interface ImportSaver {
  /** Saves how far the import is acknowledged, unless that is happening just now. */
  save(): Promise<void>
  /** Saves once more, after what is happening. */
  saveLast(finished: boolean): Promise<void>
  /** Where rejected lines are, when there are any. */
  readonly rejectedFile: string | undefined
}

/**
 * Writes rejected lines, then the progress file that counts them: whichever moment a crash comes, the next run cuts
 * the former back to what the latter says.
 */
export function createImportSaver(start: ImportState, stateDir: string, ledger: LineLedger): ImportSaver {
  let rejectedLines: RejectedLines | undefined
  let running: Promise<void> | undefined

  async function write(finished: boolean): Promise<void> {
    rejectedLines ??= await openRejectedLines(start.file, stateDir, start.identity, start.rejectedBytes)
    const rejected = ledger.takeRejected()
    const state: ImportState = {
      ...start,
      ...ledger.totals,
      rejectedBy: { ...ledger.totals.rejectedBy },
      line: ledger.line,
      finished,
    }
    await rejectedLines.append(rejected)
    await writeImportState(stateDir, { ...state, rejectedBytes: rejectedLines.bytes })
  }

  function begin(finished: boolean): Promise<void> {
    running = write(finished).finally(() => {
      running = undefined
    })
    return running
  }

  return {
    async save() {
      // An import without an accepted line leaves no trace: most likely it has the wrong format.
      if (!running && ledger.totals.accepted > 0) await begin(false)
    },
    async saveLast(finished) {
      await running?.catch(() => {})
      if (finished || ledger.totals.accepted > 0) await begin(finished)
    },
    get rejectedFile() {
      return rejectedLines && rejectedLines.bytes > 0 ? rejectedLines.path : undefined
    },
  }
}
