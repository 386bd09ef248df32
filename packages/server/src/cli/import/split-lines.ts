import { isUtf8 } from 'node:buffer'
import type { Rejection } from './line-ledger.ts'

/** Longest line that is read, in bytes. */
export const LINE_BYTES = 1024 * 1024
/** What is kept of a longer one, in bytes. */
const KEPT_BYTES = 1024
const LF = 10

export interface TextLine {
  /** From 1. */
  line: number
  /** Without line end; of a line with a fault, what can be shown of it. */
  text: string
  /** Why the line cannot be read as text. */
  fault?: Rejection
}

/**
 * Splits bytes into lines of text, some at a time, in flat memory. `\r\n` and a byte order mark are taken off.
 * @param options.wholeLines leave out a last line without line end
 */
export async function* splitLines(
  chunks: AsyncIterable<Buffer>,
  options: { wholeLines: boolean } = { wholeLines: false },
): AsyncGenerator<TextLine[]> {
  let line = 1
  let rest: Buffer[] = []
  let restBytes = 0
  /** Bytes of the running line when it is over the bound and only its beginning is kept. */
  let skipped = 0

  function keep(part: Buffer): void {
    if (restBytes + skipped + part.length > LINE_BYTES) {
      if (skipped === 0) rest = [Buffer.concat(rest).subarray(0, KEPT_BYTES)]
      skipped += restBytes + part.length
      restBytes = 0
    } else {
      rest.push(part)
      restBytes += part.length
    }
  }

  for await (const chunk of chunks) {
    let from = 0
    const lines: TextLine[] = []
    if (skipped > 0) {
      const end = chunk.indexOf(LF)
      if (end < 0) {
        keep(chunk)
        continue
      }
      skipped += end
      lines.push(tooLong(line++, Buffer.concat(rest), skipped))
      rest = []
      skipped = 0
      from = end + 1
    }
    const last = chunk.lastIndexOf(LF)
    if (last >= from) {
      const whole = chunk.subarray(from, last)
      appendLines(lines, rest.length > 0 ? Buffer.concat([...rest, whole]) : whole, line)
      line = lines.at(-1)!.line + 1
      rest = []
      restBytes = 0
      from = last + 1
    }
    if (from < chunk.length) keep(chunk.subarray(from))
    if (lines.length > 0) yield lines
  }
  if (options.wholeLines) return
  if (skipped > 0) yield [tooLong(line, Buffer.concat(rest), skipped)]
  else if (restBytes > 0) yield appendLines([], Buffer.concat(rest), line)
}

/** Decodes a block of lines that lacks its last line end. */
function appendLines(lines: TextLine[], block: Buffer, first: number): TextLine[] {
  let line = first
  if (block.length <= LINE_BYTES && isUtf8(block) && !block.includes(0)) {
    for (const text of block.toString('utf8').split('\n')) {
      lines.push({ line, text: trimmed(text, line) })
      line++
    }
    return lines
  }
  for (let from = 0; from <= block.length; line++) {
    const end = block.indexOf(LF, from)
    const bytes = block.subarray(from, end < 0 ? block.length : end)
    lines.push(decode(bytes, line))
    from = end < 0 ? block.length + 1 : end + 1
  }
  return lines
}

function decode(bytes: Buffer, line: number): TextLine {
  if (bytes.length > LINE_BYTES) return tooLong(line, bytes, bytes.length)
  const text = trimmed(bytes.toString('utf8'), line)
  if (bytes.includes(0)) {
    return { line, text, fault: { code: 'nul_byte', message: 'The line has a NUL byte, so it is no text.' } }
  }
  if (isUtf8(bytes)) return { line, text }
  const message = 'The line is not valid UTF-8: convert the file, as in `iconv -f LATIN1 -t UTF-8`.'
  return { line, text, fault: { code: 'invalid_utf8', message } }
}

function tooLong(line: number, bytes: Buffer, length: number): TextLine {
  const message = `The line has ${length} bytes; the longest that is read has ${LINE_BYTES}.`
  return { line, text: bytes.toString('utf8', 0, KEPT_BYTES), fault: { code: 'line_too_long', message } }
}

function trimmed(text: string, line: number): string {
  const from = line === 1 && text.charCodeAt(0) === 0xfeff ? 1 : 0
  const to = text.charCodeAt(text.length - 1) === 13 ? text.length - 1 : text.length
  return from === 0 && to === text.length ? text : text.slice(from, to)
}
