import { ClickHouseError } from '@clickhouse/client'
import { NowcastError } from '../../errors.ts'

/** ClickHouse's codes for a query that took too long or was stopped. */
const TIMED_OUT = new Set(['159', '160', '394'])
/** Codes of a server that is there but cannot work now, and what to do; nothing is lost, events wait in the log. */
const ADVICE: Record<string, string | undefined> = {
  60: 'its tables are gone: the next start of a process, or of its archiver, makes them anew',
  81: 'its database is gone: the next start of a process, or of its archiver, makes it anew',
  164: 'its user may only read: give --clickhouse one with readonly = 0',
  497: 'its user lacks rights: GRANT SHOW, SELECT, INSERT, CREATE, ALTER, TRUNCATE ON nowcast.* to it, and SELECT ON system.*',
  452: 'the profile of its user forbids a setting that statements carry: take the constraint out of it, nowcast doctor shows all of them',
  202: 'it has too many queries at a time: raise max_concurrent_queries, or ask less often',
  203: undefined, // a replica is missing
  209: undefined, // a socket timed out
  210: undefined, // the network
  241: 'its memory is full: give it more, or raise max_server_memory_usage',
  242: 'the table is read-only: its replica has lost ClickHouse Keeper, see system.replicas',
  243: 'its disk is full: make room, or shorten the retention',
  252: 'it merges parts more slowly than they come: see system.merges; a faster disk or more memory helps',
  279: undefined, // no replica answers
  319: undefined, // how an insert ended is unknown
  999: 'ClickHouse Keeper is not reachable',
}
/** The constraint `lease`: its writer was not heard of for too long. */
const LEASE_OVER = '469'
const OUT_OF_MEMORY = '241'
const NO_SPACE = '243'
const READ_ONLY_DISK = 'its disk is read-only: see the system’s log for why, and mount it for writing again'
const REFUSED = new Set(['192', '193', '194', '516'])

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
  // The system's own words come under the code of whatever was being done.
  const isReadOnly = /Read-only file system/.test(text)
  const code = /No space left on device/.test(text) ? NO_SPACE : error.code
  if (isReadOnly || code in ADVICE) {
    const advice = isReadOnly ? READ_ONLY_DISK : ADVICE[code]
    const message = `ClickHouse cannot work now while ${doing}: ${advice ? `${advice} (${text})` : text}`
    return new NowcastError('archive_unavailable', message, { retryable: true, cause: error })
  }
  if (REFUSED.has(error.code)) {
    const message = `ClickHouse refused the login while ${doing}: check user and password in --clickhouse`
    return new NowcastError('archive_unavailable', message, { cause: error })
  }
  return new NowcastError('internal', `ClickHouse refused a statement while ${doing}: ${text}`, { cause: error })
}
