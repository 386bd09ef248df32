import { constants } from 'node:fs'
import { access, open, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { RejectedLine } from './line-ledger.ts'

/** Longest text of a rejected line that is kept, in UTF-16 code units. */
const TEXT_LENGTH = 65_536

export interface RejectedLines {
  readonly path: string
  /** Length of the file after the last `append`. */
  readonly bytes: number
  /** Appends lines so that they survive a crash. */
  append(lines: RejectedLine[]): Promise<void>
}

/**
 * The file beside the input that tells which lines were rejected and why: `<input>.rejected.ndjson`. Where that folder
 * cannot be written it lies in `stateDir`.
 * @param bytes what an earlier run is known to have written: anything after it is cut off and written again.
 */
export async function openRejectedLines(
  input: string,
  stateDir: string,
  identity: string,
  bytes: number,
): Promise<RejectedLines> {
  const name = `${basename(input)}.rejected.ndjson`
  const beside = join(dirname(input), name)
  const path = (await isWritable(beside)) ? beside : join(stateDir, `${identity.slice(0, 8)}-${name}`)
  let length = Math.min(bytes, (await stat(path).catch(() => undefined))?.size ?? 0)
  if (length === 0) await rm(path, { force: true })

  return {
    path,
    get bytes() {
      return length
    },
    async append(lines) {
      if (lines.length === 0) return
      const text = lines.map((line) => `${JSON.stringify(entryOf(line))}\n`).join('')
      const file = await open(path, 'a', 0o600)
      try {
        await file.truncate(length)
        await file.appendFile(text)
        await file.sync()
        length += Buffer.byteLength(text)
      } finally {
        await file.close()
      }
    },
  }
}

function entryOf({ line, code, message, text }: RejectedLine) {
  const cut = text.length > TEXT_LENGTH
  return { line, code, reason: message, text: cut ? text.slice(0, TEXT_LENGTH) : text, ...(cut && { cut: true }) }
}

async function isWritable(path: string): Promise<boolean> {
  try {
    const found = await stat(path).catch(() => undefined)
    if (found && !found.isFile()) return false
    await access(found ? path : dirname(path), constants.W_OK)
    return true
  } catch {
    return false
  }
}
