import { MINUTE_MS } from '../window/window-cube.ts'
import type { Bucket } from './buckets.ts'

/** The archive holds what happened so long ago, ms: it is a second or two behind. */
const ARCHIVED_MS = 5000

/** Which part of a range is read from where; together they are the range, and no two overlap. */
export interface SplitRange {
  /** Stretches that the archive must answer, oldest first. */
  archived: Bucket[]
  /** Whole minutes that the hot store holds; empty (`from >= to`) for none. Its end may be that of the range. */
  hot: Bucket
}

/**
 * Whole minutes from `hotFrom` on are the hot store's. All else is the archive's: what lies before, and the minutes that
 * the range's ends cut, for the hot store knows no parts of minutes. An end of just now cuts nothing that has happened.
 */
export function splitRange(range: Bucket, hotFrom: number, now: number): SplitRange {
  const firstWhole = Math.ceil(range.from / MINUTE_MS) * MINUTE_MS
  const from = Math.max(firstWhole, hotFrom)
  const isCut = range.to % MINUTE_MS !== 0 && range.to <= now - ARCHIVED_MS
  const to = isCut ? Math.floor(range.to / MINUTE_MS) * MINUTE_MS : range.to
  if (from >= to) return { archived: range.from < range.to ? [range] : [], hot: { from: range.to, to: range.to } }
  const ends = [
    { from: range.from, to: from },
    { from: to, to: range.to },
  ]
  return { archived: ends.filter((end) => end.from < end.to), hot: { from, to } }
}
