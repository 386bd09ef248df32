import { type FileHandle, open, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { EngineError, toEngineError } from './engine-error.ts'
import { authenticate, type EngineRequest, parseEngineRequest, readBody } from './engine-request.ts'
import type { EngineSession } from './engine-session.ts'
import type { InsertSpool } from './insert-spool.ts'
import { type InsertStatement, parseInsertStatement } from './insert-statement.ts'
import { createSessionPool } from './session-pool.ts'

/** Filters of up to a thousand values travel in the URL; ClickHouse takes 1 MiB as well. */
const MAX_URL_BYTES = 1024 * 1024
const MAX_WAITING = 128
const MAX_RESULT_BYTES = '268435456'
/** Bytes up to here are blank. */
const SPACE = 32
const READS = /^[\s(]*(?:SELECT|WITH|EXPLAIN|SHOW|DESC|DESCRIBE|EXISTS)\b/i

export interface EngineServerOptions {
  writer: EngineSession
  /** Answer SELECTs. */
  readers: EngineSession[]
  spool: InsertSpool
  /** Where answers without a bound are written on their way. */
  answerDir: string
  /** Only stops queries whose caller has gone. */
  killer: EngineSession
  password: string
  /** Largest body, as sent and inflated. */
  bodyBytes: number
  /** ClickHouse's version, named in errors. */
  version: string
}

export interface EngineServer {
  server: Server
  /** Takes no further connections; resolves when the last answer is sent. */
  drain(): Promise<void>
}

/** As much of ClickHouse's HTTP interface as `@clickhouse/client` needs. */
export function createEngineServer(options: EngineServerOptions): EngineServer {
  const writing = createSessionPool([options.writer], MAX_WAITING)
  const reading = createSessionPool(options.readers, MAX_WAITING)
  const killing = createSessionPool([options.killer], MAX_WAITING)
  let statements = 0

  /** chdb cannot interrupt a call, but the engine can stop the query behind it. KILL takes no parameters. */
  const stop = (mark: string) => {
    const sql = `KILL QUERY WHERE Settings['log_comment'] = '${mark}' ASYNC`
    const how = { database: undefined, format: 'TabSeparated', settings: {}, parameters: {} }
    killing.run((session) => session.query(sql, how)).catch(() => {})
  }

  const read = async (sql: string, request: EngineRequest, signal: AbortSignal): Promise<Uint8Array> => {
    const mark = `statement-${++statements}`
    const settings = { max_result_bytes: MAX_RESULT_BYTES, ...request.settings, log_comment: mark }
    return reading.run(async (session) => {
      const onAbort = () => stop(mark)
      signal.addEventListener('abort', onAbort, { once: true })
      try {
        return await session.query(sql, { ...request, settings })
      } finally {
        signal.removeEventListener('abort', onAbort)
      }
    }, signal)
  }

  const write = (insert: InsertStatement, request: EngineRequest, rows: Buffer[]): Promise<number> =>
    writing.run(async (session) => {
      const written = await options.spool.hold(rows, (path) => session.insertFile(insert, path, request))
      if (written > 0 || rows.every((piece) => piece.every((byte) => byte <= SPACE))) return written
      throw new EngineError(1002, 'UNKNOWN_EXCEPTION', 'The engine found no rows in the body of the insert')
    })

  /** chdb holds an answer in memory as a whole: one without a bound goes by way of a file that has no name any more. */
  const readThroughFile = async (sql: string, request: EngineRequest, signal: AbortSignal): Promise<FileHandle> => {
    const path = join(options.answerDir, `answer-${++statements}`)
    const parts = /^(.*)\bFORMAT\s+(\w+)\s*;?\s*$/is.exec(sql)
    const [query, format] = parts ? [parts[1], parts[2]] : [sql, request.format]
    const outfile = path.replace(/['\\]/g, '\\$&')
    try {
      await read(`${query} INTO OUTFILE '${outfile}' FORMAT ${format}`, request, signal)
      return await open(path, 'r')
    } finally {
      await rm(path, { force: true })
    }
  }

  const run = async (request: EngineRequest, body: Buffer[], signal: AbortSignal) => {
    const insert = parseInsertStatement(request.query)
    if (insert) return write(insert, request, body)
    const sql = [request.query, Buffer.concat(body).toString('utf8')].filter((part) => part !== '').join('\n')
    if (sql === '') throw new EngineError(62, 'SYNTAX_ERROR', 'Empty query')
    if (READS.test(sql) && request.settings.max_result_bytes === '0') return readThroughFile(sql, request, signal)
    if (READS.test(sql)) return read(sql, request, signal)
    return writing.run((session) => session.query(sql, request))
  }

  const answer = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (incoming.method === 'GET' && (incoming.url === '/ping' || incoming.url === '/')) {
      response.end('Ok.\n')
      return
    }
    authenticate(incoming, options.password)
    const request = parseEngineRequest(incoming)
    const gone = new AbortController()
    response.once('close', () => {
      if (!response.writableFinished) gone.abort()
    })
    const body = await readBody(incoming, options.bodyBytes)
    const result = await run(request, body, gone.signal)
    if (request.queryId !== undefined) response.setHeader('X-ClickHouse-Query-Id', request.queryId)
    response.setHeader('X-ClickHouse-Timezone', 'UTC')
    if (typeof result === 'number') {
      const summary = { read_rows: '0', read_bytes: '0', written_rows: String(result), written_bytes: '0' }
      response.setHeader('X-ClickHouse-Summary', JSON.stringify(summary))
      response.end()
    } else {
      response.setHeader('X-ClickHouse-Summary', '{}')
      response.setHeader('Content-Type', 'text/plain; charset=UTF-8')
      if (result instanceof Uint8Array) response.end(result)
      else await pipeline(result.createReadStream(), response)
    }
  }

  const server = createServer(
    // The client keeps idle sockets for 2.5 s; the engine must not close them first.
    { maxHeaderSize: MAX_URL_BYTES + 16 * 1024, keepAliveTimeout: 60_000, requestTimeout: 300_000 },
    (incoming, response) => {
      if (!server.listening) response.setHeader('Connection', 'close')
      answer(incoming, response).catch((thrown: unknown) => {
        const error = toEngineError(thrown)
        if (response.headersSent || response.destroyed) return response.destroy()
        // What is left of the body is not read.
        if (!incoming.complete) response.setHeader('Connection', 'close')
        response.writeHead(error.status, {
          'Content-Type': 'text/plain; charset=UTF-8',
          'X-ClickHouse-Exception-Code': String(error.code),
        })
        response.end(error.toText(options.version))
      })
    },
  )

  return {
    server,
    drain: () => new Promise((resolve) => server.close(() => resolve())),
  }
}
