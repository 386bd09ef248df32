import { randomUUID } from 'node:crypto'
import { NowcastError } from '../../errors.ts'

/** Where Druid answers, and how long it may take. */
export interface DruidLocation {
  /** `http://user:password@host:8888`: the router, which knows where the rest is. */
  url: string
  /** How long a question may take, ms. @default 30000 */
  queryTimeoutMs?: number
}

export interface QuestionContext {
  /** What is being done, for messages: 'reading recent events'. */
  doing: string
  /** Values of the `?`, in their order. */
  parameters?: readonly (string | number)[]
  signal?: AbortSignal | undefined
}

/** Statements to a Druid. */
export interface DruidConnection {
  /**
   * The answer's rows; none where the datasource has no data yet.
   * @throws NowcastError `archive_unavailable`, `query_timeout`, `query_too_large`
   */
  rows<T extends unknown[]>(sql: string, context: QuestionContext): Promise<T[]>
  /** Asks the overlord or coordinator. @returns undefined for what is not there @throws NowcastError `archive_unavailable` */
  call<T>(method: 'GET' | 'POST', path: string, doing: string, body?: object): Promise<T | undefined>
}

const CALL_MS = 30_000
const GRACE_MS = 2000

/** Druid answers these when a question is too much for it, whoever asks. */
const CATEGORY_CODES: Record<string, 'query_timeout' | 'query_too_large' | undefined> = {
  TIMEOUT: 'query_timeout',
  CAPACITY_EXCEEDED: 'query_too_large',
}

interface DruidFailure {
  category?: string
  errorClass?: string
  errorMessage?: string
  error?: string
}

export function createDruidConnection({ url, queryTimeoutMs = 30_000 }: DruidLocation): DruidConnection {
  const address = new URL(url)
  const { username, password } = address
  address.username = ''
  address.password = ''
  const base = address.href.replace(/\/+$/, '')
  const login = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')
  const headers = {
    'content-type': 'application/json',
    ...(username && { authorization: `Basic ${login}` }),
  }

  const unavailable = (message: string, cause?: unknown) =>
    new NowcastError('archive_unavailable', message, { retryable: true, cause })

  async function send(method: string, path: string, doing: string, timeoutMs: number, more: RequestInit = {}) {
    const late = AbortSignal.timeout(timeoutMs)
    try {
      const signal = more.signal ? AbortSignal.any([more.signal, late]) : late
      const response = await fetch(`${base}${path}`, { method, headers, ...more, signal })
      return { status: response.status, text: await response.text() }
    } catch (error) {
      more.signal?.throwIfAborted()
      const { message, cause } = error as Error
      const words = (cause as Error | undefined)?.message || message
      throw unavailable(`Druid does not answer at ${base} while ${doing} (${words}): is its router running?`, error)
    }
  }

  function parsed<T>(text: string): T {
    try {
      return JSON.parse(text) as T
    } catch {
      throw unavailable(`${base} answers, but not as Druid does: --druid is the address of its router (port 8888)`)
    }
  }

  function failureOf(status: number, text: string, doing: string): NowcastError {
    if (status === 401 || status === 403) {
      return new NowcastError(
        'archive_unavailable',
        `Druid refused the login while ${doing}: check user and password in --druid, and that the user may read the datasource and write its supervisor`,
      )
    }
    let failure: DruidFailure = {}
    try {
      failure = JSON.parse(text) as DruidFailure
    } catch {
      // Words of a proxy, which are shown as they are.
    }
    const words = (failure.errorMessage ?? failure.error ?? text).slice(0, 500)
    // Of a groupBy that its buffers do not hold the category is INVALID_INPUT too.
    const isTooLarge = failure.errorClass?.endsWith('ResourceLimitExceededException')
    const code = isTooLarge ? 'query_too_large' : CATEGORY_CODES[failure.category ?? '']
    if (code) {
      return new NowcastError(
        code,
        `This is too much for Druid while ${doing} (${words}): ask for a shorter range or fewer dimensions`,
        { retryable: code === 'query_timeout' },
      )
    }
    if (failure.category === 'INVALID_INPUT') {
      return new NowcastError('internal', `Druid refused a statement while ${doing}: ${words}`)
    }
    return unavailable(`Druid cannot work now while ${doing} (${status}): ${words}`)
  }

  return {
    async rows<T extends unknown[]>(sql: string, { doing, parameters = [], signal }: QuestionContext): Promise<T[]> {
      signal?.throwIfAborted()
      const sqlQueryId = randomUUID()
      const body = JSON.stringify({
        query: sql,
        resultFormat: 'array',
        parameters: parameters.map((value) => ({ type: typeof value === 'string' ? 'VARCHAR' : 'BIGINT', value })),
        context: { sqlQueryId, timeout: queryTimeoutMs, useApproximateTopN: false, useApproximateCountDistinct: false },
      })
      const cancel = () => {
        send('DELETE', `/druid/v2/sql/${sqlQueryId}`, doing, CALL_MS).catch(() => {})
      }
      signal?.addEventListener('abort', cancel, { once: true })
      try {
        const more = { body, ...(signal && { signal }) }
        const { status, text } = await send('POST', '/druid/v2/sql', doing, queryTimeoutMs + GRACE_MS, more)
        if (status === 200) return parsed<T[]>(text)
        // A datasource is there from its first row on.
        if (status === 400 && /Object '[^']*' not found/.test(text)) return []
        throw failureOf(status, text, doing)
      } finally {
        signal?.removeEventListener('abort', cancel)
      }
    },
    async call<T>(method: 'GET' | 'POST', path: string, doing: string, body?: object): Promise<T | undefined> {
      const more = body ? { body: JSON.stringify(body) } : {}
      const { status, text } = await send(method, path, doing, CALL_MS, more)
      if (status === 404) return undefined
      if (status >= 300) throw failureOf(status, text, doing)
      return parsed<T>(text)
    },
  }
}
