import { NowcastError } from '../errors.ts'

const AWAY: ReadonlySet<string> = new Set(['archive_unavailable', 'query_timeout'])

/** Whether a reading failed because the archive is away: what is live can be answered without it. */
export function isArchiveAway(error: unknown): boolean {
  return error instanceof NowcastError && AWAY.has(error.code)
}
