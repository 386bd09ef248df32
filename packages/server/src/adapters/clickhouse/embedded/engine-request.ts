import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { EngineError } from './engine-error.ts'

const inflate = promisify(gunzip)

/** URL parameters of ClickHouse's HTTP interface that are no settings. */
const OWN_PARAMETERS = new Set([
  'query',
  'database',
  'default_format',
  'query_id',
  'session_id',
  'session_timeout',
  'session_check',
  'role',
  'user',
  'password',
  'quota_key',
  'compress',
  'decompress',
  'wait_end_of_query',
  'buffer_size',
])

/** A request to ClickHouse's HTTP interface, taken apart. */
export interface EngineRequest {
  /** The statement of the URL; the body holds it, or the rest of it, or its rows. */
  query: string
  database: string | undefined
  format: string
  queryId: string | undefined
  settings: Record<string, string>
  parameters: Record<string, string>
}

/** Takes the URL and the headers apart. */
export function parseEngineRequest(request: IncomingMessage): EngineRequest {
  const url = new URL(request.url ?? '/', 'http://engine')
  const settings: Record<string, string> = {}
  const parameters: Record<string, string> = {}
  for (const [name, value] of url.searchParams) {
    if (name.startsWith('param_')) parameters[name.slice(6)] = value
    else if (!OWN_PARAMETERS.has(name)) settings[name] = value
  }
  const of = (name: string, header: string) => url.searchParams.get(name) ?? single(request.headers[header])
  return {
    query: url.searchParams.get('query') ?? '',
    database: of('database', 'x-clickhouse-database'),
    format: of('default_format', 'x-clickhouse-format') ?? 'TabSeparated',
    queryId: of('query_id', 'x-clickhouse-query-id'),
    settings,
    parameters,
  }
}

/**
 * Compares the request's password, from Basic auth or ClickHouse's headers, in constant time.
 * @throws EngineError 516
 */
export function authenticate(request: IncomingMessage, password: string): void {
  const basic = /^Basic (.+)$/.exec(request.headers.authorization ?? '')
  const pair = basic ? Buffer.from(basic[1] as string, 'base64').toString('utf8') : undefined
  const user = pair?.slice(0, pair.indexOf(':')) ?? single(request.headers['x-clickhouse-user']) ?? ''
  const given = pair?.slice(pair.indexOf(':') + 1) ?? single(request.headers['x-clickhouse-key']) ?? ''
  if (timingSafeEqual(digest(`${user}:${given}`), digest(`default:${password}`))) return
  const message = 'Authentication failed: password is incorrect, or there is no user with such name'
  throw new EngineError(516, 'AUTHENTICATION_FAILED', message)
}

/**
 * The request's body, inflated, in the pieces it came in.
 * @throws EngineError 307 when it is larger than `maxBytes`
 */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer[]> {
  const tooLarge = () => new EngineError(307, 'TOO_MANY_BYTES', `The body is larger than ${maxBytes} bytes`)
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge()
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength
    if (bytes > maxBytes) throw tooLarge()
    chunks.push(chunk)
  }
  const encoding = request.headers['content-encoding']
  if (encoding === undefined || encoding === 'identity') return chunks
  if (encoding !== 'gzip') throw new EngineError(48, 'NOT_IMPLEMENTED', `Content-Encoding ${encoding} is not taken`)
  try {
    return [await inflate(Buffer.concat(chunks, bytes), { maxOutputLength: maxBytes })]
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge()
    throw new EngineError(354, 'ZLIB_INFLATE_FAILED', `The body is no gzip: ${String(error)}`)
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header
}
