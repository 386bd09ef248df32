import type { LineTotals } from './import-report.ts'

/** Lines between the first that is not settled and the last that was opened. */
const OPEN_LINES = 65_536
/** UTF-16 code units of their text. */
const OPEN_CHARS = 32 * 1024 * 1024

export interface Rejection {
  code: string
  message: string
}

export interface RejectedLine extends Rejection {
  line: number
  text: string
}

interface Entry {
  line: number
  lastLine: number
  text: string
  state: 'open' | 'accepted' | 'blank' | 'rejected'
  rejection?: Rejection
}

export interface LineLedger {
  /** Enters the next line (a record may span several); returns its tag. */
  open(line: number, lastLine: number, text: string): number
  accept(tag: number): void
  blank(tag: number): void
  reject(tag: number, rejection: Rejection): void
  /** The last line up to which all are settled. */
  readonly line: number
  /** Counts up to that line. */
  readonly totals: LineTotals
  /** Why the first line that was rejected was. */
  readonly firstRejection: Rejection | undefined
  /** The rejected lines up to it that were not taken yet, in order. */
  takeRejected(): RejectedLine[]
  /** Resolves when not too many lines are open, or rejected and not taken. @throws what `fail` was given */
  room(): Promise<void>
  /** Nothing more will be settled. */
  fail(error: unknown): void
}

/**
 * Remembers what became of each line, and up to which line everything is known: answers come back out of order, while
 * an interrupted import can only go on after one line.
 */
export function createLineLedger(start: { line: number; totals: LineTotals }): LineLedger {
  const { lines, accepted, rejected: refused, blank, rejectedBy } = start.totals
  const totals: LineTotals = { lines, accepted, rejected: refused, blank, rejectedBy: { ...rejectedBy } }
  let { line } = start
  let entries: Entry[] = []
  /** Tag of `entries[0]`, and how many entries at the front are done with. */
  let firstTag = 0
  let done = 0
  let chars = 0
  let rejected: RejectedLine[] = []
  let firstRejection: Rejection | undefined
  let waiter: { resolve: () => void; reject: (error: unknown) => void } | undefined
  let failed: { error: unknown } | undefined

  const isFull = () => entries.length - done + rejected.length >= OPEN_LINES || chars >= OPEN_CHARS

  function settle(tag: number, state: Entry['state'], rejection?: Rejection): void {
    const entry = entries[tag - firstTag]!
    entry.state = state
    if (rejection) {
      entry.rejection = rejection
    } else {
      chars -= entry.text.length
      entry.text = ''
    }
    if (tag === firstTag + done) advance()
  }

  function advance(): void {
    let entry = entries[done]
    while (entry && entry.state !== 'open') {
      line = entry.lastLine
      totals.lines++
      totals[entry.state]++
      if (entry.rejection) {
        const { code, message } = entry.rejection
        firstRejection ??= entry.rejection
        totals.rejectedBy[code] = (totals.rejectedBy[code] ?? 0) + 1
        rejected.push({ line: entry.line, code, message, text: entry.text })
      }
      entry = entries[++done]
    }
    if (done > 4096 && done * 2 > entries.length) {
      entries = entries.slice(done)
      firstTag += done
      done = 0
    }
    wakeIfRoom()
  }

  function wakeIfRoom(): void {
    if (!waiter || isFull()) return
    waiter.resolve()
    waiter = undefined
  }

  return {
    open(line, lastLine, text) {
      chars += text.length
      return firstTag + entries.push({ line, lastLine, text, state: 'open' }) - 1
    },
    accept: (tag) => settle(tag, 'accepted'),
    blank: (tag) => settle(tag, 'blank'),
    reject: (tag, rejection) => settle(tag, 'rejected', rejection),
    get line() {
      return line
    },
    totals,
    get firstRejection() {
      return firstRejection
    },
    takeRejected() {
      const taken = rejected
      rejected = []
      for (const { text } of taken) chars -= text.length
      wakeIfRoom()
      return taken
    },
    room() {
      if (failed) return Promise.reject(failed.error)
      if (!isFull()) return Promise.resolve()
      return new Promise((resolve, reject) => {
        waiter = { resolve, reject }
      })
    },
    fail(error) {
      failed = { error }
      waiter?.reject(error)
      waiter = undefined
    },
  }
}
