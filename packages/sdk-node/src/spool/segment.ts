import { closeSync, fdatasync, fdatasyncSync, openSync, readFileSync, readSync, unlinkSync, writeSync } from 'node:fs'

/** The first line of a segment: a word, and where the first event begins that is not yet answered. */
const HEADER_BYTES = 32
const WORD = 'nowcast-spool 1 '
const NEWLINE = 10

const headerFor = (head: number) => `${WORD}${String(head).padStart(HEADER_BYTES - WORD.length - 1, '0')}\n`

/** One event in a file; its bytes are those of `json`. */
interface Line {
  json: string
  bytes: number
}

/**
 * One append-only file of events, a JSON line each. Only its first line is ever written again: a kill leaves the old
 * position or the new one, and from the old one events are sent again with the same ids.
 */
export interface Segment {
  path: string
  /** Events not yet answered. */
  count: number
  /** Bytes of the file. */
  size: number
  /** @throws what the file system says; the file then ends as it did before */
  append(json: string): void
  /** The oldest events not yet answered, as many as fit but at least one. */
  first(maxEvents: number, maxBytes: number): Line[]
  /** Moves the position behind the oldest events. */
  skip(events: { bytes: number }[]): void
  /** Forces to disk what was written since the last time. */
  sync(): void
  syncNow(): void
  close(): void
  /** Deletes the file. */
  remove(): void
}

/** Makes an empty segment. */
export function createSegment(path: string): Segment {
  const fd = openSync(path, 'wx+', 0o600)
  const segment = segmentOf(path, fd, HEADER_BYTES, HEADER_BYTES, 0)
  try {
    writeSync(fd, headerFor(HEADER_BYTES), 0)
  } catch (error) {
    segment.remove()
    throw error
  }
  return segment
}

/** Opens the segment of an earlier process. A last line that was cut off is no event: `track` had not returned. */
export function openSegment(path: string): Segment {
  const fd = openSync(path, 'r+')
  const content = readFileSync(path)
  const size = content.lastIndexOf(NEWLINE) + 1
  const noted = content.toString('latin1', WORD.length, HEADER_BYTES - 1)
  const head = Math.min(Math.max(HEADER_BYTES, +noted || 0), Math.max(HEADER_BYTES, size))
  let count = 0
  for (let at = head - 1; at < size - 1; count++) at = content.indexOf(NEWLINE, at + 1)
  return segmentOf(path, fd, head, Math.max(HEADER_BYTES, size), count)
}

function segmentOf(path: string, fd: number, head: number, size: number, count: number): Segment {
  let isDirty = false
  const segment: Segment = {
    path,
    count,
    size,
    append(json) {
      const line = `${json}\n`
      const bytes = Buffer.byteLength(line)
      if (writeSync(fd, line, segment.size) < bytes) throw new Error('the disk took only a part of an event')
      segment.size += bytes
      segment.count++
      isDirty = true
    },
    first(maxEvents, maxBytes) {
      for (let wanted = maxBytes; ; wanted *= 2) {
        const chunk = Buffer.allocUnsafe(Math.min(wanted, segment.size - head))
        const events = linesOf(chunk.subarray(0, readSync(fd, chunk, 0, chunk.length, head)), maxEvents)
        if (events[0] || wanted > segment.size) return events
      }
    },
    skip(events) {
      for (const { bytes } of events) head += bytes + 1
      segment.count -= events.length
      writeSync(fd, headerFor(head), 0)
    },
    sync() {
      if (!isDirty) return
      isDirty = false
      fdatasync(fd, () => {})
    },
    syncNow: () => fdatasyncSync(fd),
    close: () => closeSync(fd),
    remove() {
      closeSync(fd)
      try {
        unlinkSync(path)
      } catch {
        // Somebody cleared the folder.
      }
    },
  }
  return segment
}

function linesOf(chunk: Buffer, most: number) {
  const lines: Line[] = []
  for (let at = 0; lines.length < most; ) {
    const end = chunk.indexOf(NEWLINE, at)
    if (end < 0) break
    lines.push({ json: chunk.toString('utf8', at, end), bytes: end - at })
    at = end + 1
  }
  return lines
}
