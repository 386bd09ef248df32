import { Transform } from 'node:stream'
import pc from 'picocolors'

const SHOW_MS = 500

/** Passes an export on, counts its bytes, and shows them on a terminal. */
export function createExportProgress(
  events: number,
  screen: { isTTY?: boolean; write(text: string): unknown },
): { stream: Transform; bytes(): number } {
  let bytes = 0
  let shownAt = 0
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.byteLength
      if (screen.isTTY && Date.now() - shownAt > SHOW_MS) {
        shownAt = Date.now()
        screen.write(`\r${pc.dim(`${events} events: ${(bytes / 1e6).toFixed(1)} MB written`)}`)
      }
      done(null, chunk)
    },
    flush(done) {
      if (shownAt > 0) screen.write('\n')
      done()
    },
  })
  return { stream, bytes: () => bytes }
}
