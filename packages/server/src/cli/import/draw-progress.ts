import { SingleBar } from 'cli-progress'
import type { ImportProgress } from './import-options.ts'

/** How often a line is printed where no bar can be drawn. */
const LINE_MS = 3000
/** The stretch over which the time left is estimated. */
const PACE_MS = 10_000

export interface ProgressDrawing {
  update(progress: ImportProgress): void
  /** Prints a sentence without spoiling the bar. */
  notice(message: string): void
  /** Ends the bar. */
  stop(): void
}

/**
 * Draws an import's progress: a bar on a terminal, else a line every few seconds.
 * @param print writes one line
 */
export function drawProgress(
  stream: NodeJS.WriteStream = process.stderr,
  print: (line: string) => void = (line) => void stream.write(`${line}\n`),
): ProgressDrawing {
  const pace = createPace()
  let bar: SingleBar | undefined
  let current = ''
  let printedAt = 0

  function begin({ file, bytesTotal }: ImportProgress): void {
    bar?.stop()
    bar = undefined
    current = file
    pace.reset()
    printedAt = Date.now()
    print(file)
    if (!stream.isTTY) return
    bar = new SingleBar({
      stream,
      format: '{bar} {percentage} % | {what}',
      barsize: 30,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      hideCursor: true,
      gracefulExit: false,
    })
    bar.start(bytesTotal, 0, { what: '' })
  }

  return {
    update(progress) {
      const { file, phase, bytesRead, bytesTotal } = progress
      if (file !== current) begin(progress)
      const what = describe(progress, pace.leftMs(phase, bytesRead, bytesTotal))
      if (bar) {
        bar.update(bytesRead, { what })
      } else if (Date.now() - printedAt >= LINE_MS) {
        printedAt = Date.now()
        print(`${Math.floor((bytesRead * 100) / Math.max(1, bytesTotal))} % | ${what}`)
      }
    },
    notice(message) {
      if (bar && stream.isTTY) stream.write('\r\u001b[K')
      print(message)
      bar?.render()
    },
    stop() {
      bar?.stop()
      bar = undefined
      current = ''
    },
  }
}

function describe({ phase, lines, rejected, eventsPerSecond }: ImportProgress, leftMs: number | undefined): string {
  const left = leftMs === undefined ? '' : `, ${duration(leftMs)} left`
  if (phase === 'checking') return `checking the file${left}`
  const refused = rejected > 0 ? `, ${count(rejected)} rejected` : ''
  return `${count(lines)} lines, ${count(eventsPerSecond)} events/s${refused}${left}`
}

/** Estimates the time left from the bytes of the last ten seconds. */
function createPace() {
  let seen: { at: number; bytes: number }[] = []
  let last = ''
  return {
    reset() {
      seen = []
    },
    leftMs(phase: string, bytes: number, total: number): number | undefined {
      const at = Date.now()
      if (phase !== last) seen = []
      last = phase
      seen.push({ at, bytes })
      while (seen[0]!.at < at - PACE_MS) seen.shift()
      const { at: from, bytes: before } = seen[0]!
      return bytes > before && at - from >= 1000 ? ((total - bytes) * (at - from)) / (bytes - before) : undefined
    },
  }
}

function count(value: number): string {
  return value.toLocaleString('en-US')
}

function duration(ms: number): string {
  const seconds = Math.ceil(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  return minutes < 60 ? `${minutes} min ${seconds % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}
