import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { NowcastError } from '../../errors.ts'
import type { UserDeletion } from '../../ports/event-store.ts'
import type { ClickHouseConnection } from './clickhouse-connection.ts'
import { NOTING, REWRITING } from './statement-settings.ts'

const POLL_MS = 100
/** How long the nodes of a cluster have to hear of a user. */
const LIST_MS = 60_000
const MOST_NAMES = 100
const MOST_TRIES = 3
const DOING = 'deleting a user'
const LISTED = '(SELECT project, id FROM nowcast.deleted_users)'
const SALT = '(SELECT any(salt) FROM nowcast.deleted_users)'
/** Ids, and what a person may have written or opened. What counts are made of stays. */
const WIPED = ['user_id', 'anonymous_id', 'session_id', 'url', 'path', 'referrer', 'title']

/** Random text by which a statement is found again in ClickHouse's own list. */
const newMark = () => `forget-${randomBytes(8).toString('hex')}`

/** The same new hash for all rows of a user, a new id for each row: nothing of them can be computed from outside. */
const rewriteSql = (mark: string) => `ALTER TABLE nowcast.events UPDATE
  ${WIPED.map((column) => `${column} = ''`).join(', ')},
  properties = '{}',
  id = hex(sipHash128(${SALT}, log_epoch, log_partition, log_offset)),
  user_hash = sipHash64(${SALT}, user_hash)
WHERE '${mark}' != '' AND ((project, user_id) IN ${LISTED} OR (project, anonymous_id) IN ${LISTED})`

/** Each node of a cluster has its own list of statements, and one that lags does not know of the newest yet. */
const NODES = '(SELECT count() FROM system.one)'
const UNFINISHED = `SELECT sum(parts_to_do), toInt64(${NODES}) - toInt64(countIf(is_done)) FROM system.mutations
WHERE database = 'nowcast' AND table = 'events' AND position(command, {mark:String}) > 0`
/** Each reads its own copy of the list of users. */
const IS_LISTED = `SELECT (SELECT count() FROM nowcast.deleted_users WHERE salt = {salt:UInt64}) >= ${NODES}`

/** Anonymises the rows of users, one at a time. */
export interface UserDeleter {
  delete(project: string, id: string, onProgress: (partsLeft: number) => void): Promise<UserDeletion>
  /** Ends what an earlier process began. */
  resume(): Promise<void>
}

export function createUserDeleter(connection: ClickHouseConnection): UserDeleter {
  let isBusy = false

  /** Rewrites the rows of the users that are listed, and empties the list. */
  async function rewriteListed(onProgress: (partsLeft: number) => void): Promise<void> {
    const mark = newMark()
    await connection.command(rewriteSql(mark), { doing: DOING, settings: REWRITING })
    for (;;) {
      const [row] = await connection.rows<[string, string]>(UNFINISHED, { doing: DOING, parameters: { mark } })
      if (Number(row?.[1] ?? 0) <= 0) break
      onProgress(Number(row?.[0]))
      await sleep(POLL_MS)
    }
    await connection.command('TRUNCATE TABLE nowcast.deleted_users', { doing: DOING })
  }

  async function rewrite(project: string, id: string, onProgress: (partsLeft: number) => void): Promise<void> {
    const parameters = { project, id, salt: randomBytes(8).readBigUInt64LE().toString() }
    const note = 'INSERT INTO nowcast.deleted_users SELECT {project:String}, {id:String}, {salt:UInt64}'
    await connection.command(note, { doing: DOING, parameters, settings: NOTING })
    const isListed = async () =>
      (await connection.rows<[number]>(IS_LISTED, { doing: DOING, parameters }))[0]?.[0] === 1
    for (const until = performance.now() + LIST_MS; !(await isListed()); await sleep(POLL_MS)) {
      if (performance.now() < until) continue
      throw new NowcastError('archive_unavailable', 'a node of ClickHouse lags behind: it goes on at the next start', {
        retryable: true,
      })
    }
    await rewriteListed(onProgress)
  }

  async function rowsOf(parameters: { project: string; id: string }): Promise<UserDeletion> {
    const sql = `SELECT
  count(),
  arraySort(groupUniqArrayIf(${MOST_NAMES})(anonymous_id, user_id = {id:String} AND anonymous_id NOT IN ('', {id:String}))),
  arraySort(groupUniqArrayIf(${MOST_NAMES})(user_id, anonymous_id = {id:String} AND user_id NOT IN ('', {id:String})))
FROM nowcast.events
WHERE project = {project:String} AND (user_id = {id:String} OR anonymous_id = {id:String})`
    const [row] = await connection.rows<[string, string[], string[]]>(sql, { doing: DOING, parameters })
    return { rows: Number(row?.[0] ?? 0), alsoKnownAs: [...new Set([...(row?.[1] ?? []), ...(row?.[2] ?? [])])] }
  }

  return {
    async delete(project, id, onProgress) {
      if (id === '') throw new NowcastError('invalid_query', 'name the user: an id must not be empty', { field: 'id' })
      if (isBusy) {
        throw new NowcastError('buffer_full', 'another user is being deleted: ask again when that is done', {
          retryable: true,
          retryAfterMs: 5000,
        })
      }
      isBusy = true
      try {
        const found = await rowsOf({ project, id })
        // Another process that ends a deletion of its own may have emptied the list too early for this one.
        for (let left = found.rows, tries = 0; left > 0 && tries < MOST_TRIES; tries++) {
          await rewrite(project, id, onProgress)
          left = (await rowsOf({ project, id })).rows
        }
        return found
      } finally {
        isBusy = false
      }
    },
    async resume() {
      const [row] = await connection.rows<[string]>('SELECT count() FROM nowcast.deleted_users', { doing: DOING })
      if (row?.[0] === '0') return
      isBusy = true
      // It was noted, and the process ended before the rewriting began, or after: rows that are rewritten match no more.
      rewriteListed(() => {})
        .catch(() => {})
        .finally(() => {
          isBusy = false
        })
    },
  }
}
