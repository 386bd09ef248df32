import { ClickHouseError } from '@clickhouse/client'
import { NowcastError } from '../../errors.ts'

/** ClickHouse's codes for a query that took too long or was stopped. */
const TIMED_OUT = new Set(['159', '160', '394'])
/** Codes of a server that is there but cannot work now: timeouts, memory, overload, no disk space, read-only, lost parts. */
const BUSY = new Set(['164', '202', '203', '209', '210', '241', '242', '243', '252', '279', '319', '999'])
/** The constraint `lease`: its writer was not heard of for too long. */
const LEASE_OVER = '469'
const OUT_OF_MEMORY = '241'
const REFUSED = new Set(['192', '193', '194', '497', '516'])

/**
 * What callers can do about a failure of ClickHouse. `AbortError`s pass as they are.
 * @param doing what was tried, for the message
 */
export function archiveFailure(error: unknown, doing: string): unknown {
  if (error instanceof NowcastError || (error as Error).name === 'AbortError') return error
  const text = error instanceof Error ? error.message : String(error)
  if (!(error instanceof ClickHouseError)) {
    return new NowcastError('archive_unavailable', `ClickHouse did not answer while ${doing}: ${text}`, {
      retryable: true,
      cause: error,
    })
  }
  if (TIMED_OUT.has(error.code)) {
    const message = `ClickHouse took too long while ${doing}: ask for a shorter range or fewer dimensions`
    return new NowcastError('query_timeout', message, { retryable: true, cause: error })
  }
  if (error.code === LEASE_OVER) {
    const message = `ClickHouse refused rows while ${doing}: their lease had ended, so another process may have written them`
    return new NowcastError('archive_unavailable', message, { retryable: true, cause: error })
  }
  // Of one query's own bound; that of all together is passing.
  if (error.code === OUT_OF_MEMORY && !/\(total\)/.test(text)) {
    const message = `This needs more memory than a question may take, while ${doing}: ask for a shorter range or fewer dimensions`
    return new NowcastError('query_too_large', message, { cause: error })
  }
  if (BUSY.has(error.code)) {
    const message = `ClickHouse cannot work now while ${doing}: ${text}`
    return new NowcastError('archive_unavailable', message, { retryable: true, cause: error })
  }
  if (REFUSED.has(error.code)) {
    const message = `ClickHouse refused the login while ${doing}: check user and password in --clickhouse`
    return new NowcastError('archive_unavailable', message, { cause: error })
  }
  return new NowcastError('internal', `ClickHouse refused a statement while ${doing}: ${text}`, { cause: error })
}
