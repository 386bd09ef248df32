import { Readable } from 'node:stream'
import {
  type ClickHouseClient,
  ClickHouseError,
  ClickHouseLogLevel,
  type ClickHouseSettings,
  createClient,
} from '@clickhouse/client'
import { NowcastError } from '../../errors.ts'
import { archiveFailure } from './archive-failure.ts'
import { CLUSTER_SETTINGS, clusterQuestion, clusterStatements } from './cluster-sql.ts'
import type { RunningEngine } from './embedded/start-engine.ts'
import { type EngineSupervisor, type SuperviseEngineOptions, superviseEngine } from './embedded/supervise-engine.ts'

/** Where ClickHouse is: a server's address, or a directory for the embedded engine. */
export type ClickHouseLocation =
  | {
      /** `http://user:password@host:8123`. */
      url: string
      /** Name of the cluster in its configuration (`remote_servers`) that the tables are to be spread over. */
      cluster?: string | undefined
    }
  | { embedded: SuperviseEngineOptions }

export interface StatementContext {
  /** What is being done, for messages: 'reading the frontiers'. */
  doing: string
  /** Values of the statement's `{name:Type}`. */
  parameters?: Record<string, unknown>
  settings?: ClickHouseSettings
  signal?: AbortSignal
  /** How long an insert waits for its answer, where that is shorter than the connection's time-out, ms. */
  timeoutMs?: number | undefined
}

/** Statements to ClickHouse, the same for a server and for the embedded engine. */
export interface ClickHouseConnection {
  start(): Promise<void>
  stop(): Promise<void>
  /** The answer's rows; 64-bit integers come as strings. */
  rows<T extends unknown[]>(sql: string, context: StatementContext): Promise<T[]>
  /** The answer's bytes in the format that the statement names, however many; the caller reads them to the end. */
  stream(sql: string, context: StatementContext): Promise<Readable>
  /** A statement without an answer. */
  command(sql: string, context: StatementContext): Promise<void>
  /**
   * Sends rows in JSONEachRow.
   * @throws NowcastError `archive_unavailable`, retryable, whenever the outcome is unknown; with the embedded engine,
   * nothing of the insert can land any more by then
   */
  insert(table: string, rows: Uint8Array, context: StatementContext): Promise<void>
}

export interface ClickHouseConnectionOptions {
  /** How long one statement may take, ms. @default 60000 */
  timeoutMs?: number
}

const DEFAULT_TIMEOUT_MS = 60_000
const GRACE_MS = 2000
/** How long a long answer may be silent. */
const STREAM_TIMEOUT_MS = 6 * 3_600_000
const CLIENT_OPTIONS = {
  application: 'nowcast',
  // Failures are thrown, and reported by those who catch them.
  log: { level: ClickHouseLogLevel.OFF },
} as const

export function createClickHouseConnection(
  location: ClickHouseLocation,
  options: ClickHouseConnectionOptions = {},
): ClickHouseConnection {
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS
  const supervisor: EngineSupervisor | undefined =
    'embedded' in location ? superviseEngine(location.embedded) : undefined
  const cluster = 'url' in location ? location.cluster : undefined
  let client: ClickHouseClient | undefined
  let clientOf: RunningEngine | undefined

  const addressOf = (engine: RunningEngine | undefined) =>
    engine ? { url: engine.url, username: engine.username, password: engine.password } : serverAddress(location)

  const connect = (): ClickHouseClient => {
    const engine = supervisor?.current()
    if (client && clientOf === engine) return client
    client?.close().catch(() => {})
    clientOf = engine
    client = createClient({
      ...addressOf(engine),
      ...CLIENT_OPTIONS,
      // ClickHouse stops by itself a little earlier, and then says why.
      request_timeout: timeoutMs + GRACE_MS,
      max_open_connections: 16,
      clickhouse_settings: {
        max_execution_time: Math.ceil(timeoutMs / 1000),
        output_format_json_quote_64bit_integers: 1,
        ...(cluster === undefined ? {} : CLUSTER_SETTINGS),
      },
    })
    return client
  }

  const attempt = async <T>(context: StatementContext, run: (client: ClickHouseClient) => Promise<T>): Promise<T> => {
    context.signal?.throwIfAborted()
    try {
      return await run(connect())
    } catch (error) {
      context.signal?.throwIfAborted()
      throw archiveFailure(error, context.doing)
    }
  }

  const statement = (context: StatementContext) => ({
    query_params: context.parameters,
    clickhouse_settings: context.settings,
    abort_signal: context.signal,
  })

  return {
    start: () => supervisor?.start() ?? Promise.resolve(),
    async stop() {
      await client?.close()
      client = undefined
      await supervisor?.stop()
    },
    rows: (sql, context) =>
      attempt(context, async (client) => {
        const settings = { cancel_http_readonly_queries_on_client_close: 1 as const, ...context.settings }
        const asked = cluster === undefined ? sql : clusterQuestion(sql, cluster)
        const query = { ...statement(context), query: asked, format: 'JSONCompactEachRow' as const }
        const answer = await client.query({ ...query, clickhouse_settings: settings })
        return (await answer.json()) as never
      }),
    stream: (sql, context) =>
      attempt(context, async () => {
        // A connection of its own: a long answer must not end with the time of a short one.
        const own = createClient({
          ...addressOf(supervisor?.current()),
          ...CLIENT_OPTIONS,
          request_timeout: STREAM_TIMEOUT_MS,
        })
        try {
          const { stream } = await own.exec({ ...statement(context), query: sql })
          stream.once('close', () => own.close())
          return stream
        } catch (error) {
          await own.close()
          throw error
        }
      }),
    command: (sql, context) =>
      attempt(context, async (client) => {
        for (const query of cluster === undefined ? [sql] : clusterStatements(sql, cluster)) {
          await client.command({ ...statement(context), query })
        }
      }),
    insert: (table, rows, context) =>
      attempt(context, async (client) => {
        const engine = clientOf
        try {
          const values = Readable.from([rows], { objectMode: false })
          const query = `INSERT INTO ${table} FORMAT JSONEachRow`
          // ClickHouse stops by itself a little earlier, and then says why.
          const late = context.timeoutMs === undefined ? undefined : AbortSignal.timeout(context.timeoutMs + GRACE_MS)
          const { stream } = await client.exec({ ...statement(context), query, values, abort_signal: late })
          await drain(stream)
        } catch (error) {
          // An answer of ClickHouse means that the insert has ended; anything else, that it may still be running.
          if (engine && !(error instanceof ClickHouseError)) await supervisor?.replace(engine)
          throw error
        }
      }),
  }
}

/** The same connection, whose reading statements have these settings beside their own. */
export function withSettings(connection: ClickHouseConnection, settings: ClickHouseSettings): ClickHouseConnection {
  return {
    ...connection,
    rows: (sql, context) => connection.rows(sql, { ...context, settings: { ...settings, ...context.settings } }),
  }
}

/** The same connection, whose statements are refused until its tables are prepared: other versions have other columns. */
export function usableOnce(connection: ClickHouseConnection, isPrepared: () => boolean): ClickHouseConnection {
  const prepared = async () => {
    if (isPrepared()) return
    throw new NowcastError(
      'archive_unavailable',
      'The tables in ClickHouse are being prepared: ask again in a moment',
      {
        retryable: true,
      },
    )
  }
  return {
    ...connection,
    rows: (sql, context) => prepared().then(() => connection.rows(sql, context)),
    stream: (sql, context) => prepared().then(() => connection.stream(sql, context)),
    command: (sql, context) => prepared().then(() => connection.command(sql, context)),
    insert: (table, rows, context) => prepared().then(() => connection.insert(table, rows, context)),
  }
}

async function drain(answer: Readable): Promise<void> {
  for await (const _ of answer);
}

/** The server's address without its path: the database is always `nowcast`, and may not exist yet. */
function serverAddress(location: ClickHouseLocation): { url: string } {
  const url = new URL((location as { url: string }).url)
  if (!['/', '/nowcast'].includes(url.pathname)) {
    const message = `The database in ClickHouse is always nowcast, --clickhouse names ${url.pathname.slice(1)}`
    throw new NowcastError('archive_unavailable', message)
  }
  url.pathname = '/'
  return { url: url.href }
}
