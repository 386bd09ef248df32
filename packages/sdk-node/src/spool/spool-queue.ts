import type { QueuedEvent, Report } from '@nowcast/sdk-core'
import type { NodeQueue } from '../node-queue.ts'
import type { ResolvedOptions, SpoolOptions } from '../options.ts'
import { createSegment, openSegment, type Segment } from './segment.ts'
import { LEASE_MS, openSpoolFolder } from './spool-folder.ts'

const SEGMENT_BYTES = 4 * 1024 * 1024

/** How often the files are shown to be in use, and those of ended processes looked for. */
const BEAT_MS = LEASE_MS / 4

/** What was read for a request, and from where. */
interface Held {
  segment: Segment
  events: QueuedEvent<number>[]
}

/**
 * A queue in files: an event is written before `push` returns, so that it outlives the process, and read when it is
 * sent, so that memory does not grow while the server is away. Starts with what ended processes have left.
 *
 * @param onAdopted called when a process has ended meanwhile and left events
 * @throws what the file system says about the folder
 */
export function openSpoolQueue(
  { url, key, queuePolicy }: ResolvedOptions,
  { folder, maxBytes = 256 * 1024 * 1024, syncMs = 1000 }: SpoolOptions,
  report: Report,
  onAdopted: () => void,
): NodeQueue {
  const files = openSpoolFolder(folder, url, key)
  const segmentBytes = Math.min(SEGMENT_BYTES, maxBytes / 4)
  /** Oldest first; only the last one grows. */
  let segments: Segment[] = []
  let held: Held | undefined
  let lastKey = 0
  let beatAt = Date.now()
  let isClosed = false
  const count = () => segments.reduce((sum, segment) => sum + segment.count, 0)
  const size = () => segments.reduce((sum, segment) => sum + segment.size, 0)

  function adopt() {
    const adopted: Segment[] = []
    for (const path of files.adopt()) {
      try {
        const segment = openSegment(path)
        if (segment.count) adopted.push(segment)
        else segment.remove()
      } catch (cause) {
        report('spool_failed', `${path} cannot be read`, 0, cause)
      }
    }
    // Before the one that grows: what an earlier process has left is older.
    segments.splice(Math.max(0, segments.length - 1), 0, ...adopted)
  }

  function beat() {
    const now = Date.now()
    // After a long pause another process may have taken our files over, and sends what is in them.
    if (now - beatAt > LEASE_MS / 2) {
      segments = segments.filter((segment) => {
        if (files.isOwn(segment.path)) return true
        if (held?.segment === segment) held = undefined
        segment.close()
        return false
      })
    }
    beatAt = now
    files.touch(segments.map(({ path }) => path))
  }

  function tail() {
    const last = segments[segments.length - 1]
    if (last && last.size < segmentBytes) return last
    // A segment without events stays only while it grows.
    if (last && !last.count) segments.pop()?.remove()
    const segment = createSegment(files.newPath())
    segments.push(segment)
    return segment
  }

  /** Makes room; what is in flight stays. */
  function dropOldest(cause?: unknown) {
    const dropped = segments.find((segment) => segment !== held?.segment)
    if (queuePolicy === 'reject' || !dropped) return false
    segments = segments.filter((segment) => segment !== dropped)
    dropped.remove()
    if (dropped.count) report('queue_full', 'the spool is full', dropped.count, cause)
    return true
  }

  const oldest = () => (isClosed ? undefined : segments.find(({ count }) => count))

  /** What cannot be read must not stop all that waits behind it. */
  function giveUp(segment: Segment, cause?: unknown) {
    report('spool_failed', `${segment.path} cannot be read`, segment.count, cause)
    segments = segments.filter((other) => other !== segment)
    segment.remove()
  }

  function append(json: string) {
    const segment = tail()
    segment.append(json)
    if (!syncMs) segment.syncNow()
    lastKey++
  }

  adopt()
  const timers = [
    setInterval(() => {
      beat()
      adopt()
      if (count()) onAdopted()
    }, BEAT_MS),
    setInterval(() => segments.at(-1)?.sync(), Math.min(syncMs || BEAT_MS, 2 ** 31 - 1)),
  ]
  for (const timer of timers) timer.unref()

  return {
    push(json) {
      if (isClosed) return false
      if (Date.now() - beatAt > LEASE_MS / 2) beat()
      while (size() + json.length > maxBytes) {
        if (dropOldest()) continue
        report('queue_full', 'the spool is full', 1)
        return false
      }
      try {
        append(json)
        return true
      } catch (cause) {
        // A full disk: what a dropped segment frees may be enough.
        try {
          if (dropOldest(cause)) {
            append(json)
            return true
          }
        } catch {}
        report('spool_failed', 'an event could not be written to the spool', 1, cause)
        return false
      }
    },
    first(maxEvents, maxBytes) {
      for (let segment = oldest(); segment; segment = oldest()) {
        const firstKey = lastKey - count() + 1
        try {
          const events = segment.first(maxEvents, maxBytes).map((line, index) => ({ ...line, key: firstKey + index }))
          held = { segment, events }
          if (events[0]) return events
          giveUp(segment)
        } catch (cause) {
          giveUp(segment, cause)
        }
      }
      return []
    },
    remove(events) {
      if (isClosed || events !== held?.events) return
      const { segment } = held
      held = undefined
      try {
        segment.skip(events)
      } catch (cause) {
        report('spool_failed', `${segment.path} cannot be written`, 0, cause)
      }
      if (segment.count || segment === segments.at(-1)) return
      segments = segments.filter((other) => other !== segment)
      segment.remove()
    },
    newest: () => (!isClosed && count() ? lastKey : undefined),
    clear: () => 0,
    close() {
      if (isClosed) return
      isClosed = true
      for (const timer of timers) clearInterval(timer)
      for (const segment of segments) {
        if (segment.count) segment.close()
        else segment.remove()
      }
    },
    isDurable: true,
  }
}
