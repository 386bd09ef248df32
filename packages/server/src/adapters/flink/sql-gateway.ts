import { setTimeout as sleep } from 'node:timers/promises'
import { FlinkError } from './flink-error.ts'

const ASK_MS = 30_000
const POLL_MS = 100
/** Stopping a job with a savepoint takes as long as the savepoint. */
const STATEMENT_MS = 10 * 60_000

/** A session of Flink's SQL gateway. */
export interface SqlGateway {
  /** Runs one statement to its end. @returns its rows @throws FlinkError in the words of Flink */
  run(statement: string): Promise<string[][]>
  close(): Promise<void>
}

interface Result {
  resultType: 'NOT_READY' | 'PAYLOAD' | 'EOS'
  nextResultUri?: string
  results?: { data: { fields: unknown[] }[] }
}

/**
 * Opens a session through the gateway's REST API. `sql-client.sh -f` would do as well, but it ends with 0 whatever
 * went wrong.
 * @param url where the gateway answers: `http://host:8083`
 * @param secrets what errors of Flink must not show, should they repeat a statement
 * @throws FlinkError that says what to do
 */
export async function openSqlGateway(
  url: string,
  settings: Readonly<Record<string, string>>,
  secrets: readonly string[] = [],
): Promise<SqlGateway> {
  const base = url.replace(/\/+$/, '')

  async function call<T>(method: string, path: string, body?: object): Promise<T> {
    let response: Response
    try {
      response = await fetch(`${base}${path}`, {
        method,
        signal: AbortSignal.timeout(ASK_MS),
        ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
      })
    } catch (error) {
      const { message, cause } = error as Error
      const words = (cause as Error | undefined)?.message || message
      throw failure(`Flink's SQL gateway does not answer at ${base} (${words}): start it with bin/sql-gateway.sh start`)
    }
    const text = await response.text()
    if (response.ok) return parsed<T>(text)
    throw failure(`Flink says: ${rootCause(text, secrets)}`)
  }

  function parsed<T>(text: string): T {
    try {
      return JSON.parse(text) as T
    } catch {
      throw failure(`${base} answers, but is no SQL gateway of Flink: its port is 8083 by default`)
    }
  }

  const { sessionHandle } = await call<{ sessionHandle?: string }>('POST', '/v1/sessions', { properties: settings })
  if (!sessionHandle) throw failure(`${base} answers, but is no SQL gateway of Flink: its port is 8083 by default`)
  const session = `/v1/sessions/${sessionHandle}`

  return {
    async run(statement) {
      const { operationHandle } = await call<{ operationHandle: string }>('POST', `${session}/statements`, {
        statement,
      })
      const rows: string[][] = []
      const deadline = performance.now() + STATEMENT_MS
      for (let path = `${session}/operations/${operationHandle}/result/0`; ; ) {
        const { resultType, results, nextResultUri } = await call<Result>('GET', path)
        for (const { fields } of results?.data ?? []) rows.push(fields.map(String))
        if (resultType === 'EOS' || (resultType === 'PAYLOAD' && nextResultUri === undefined)) return rows
        if (performance.now() > deadline) throw failure(`Flink has not ended a statement: ${statement.slice(0, 80)}`)
        if (resultType === 'NOT_READY') await sleep(POLL_MS)
        else path = nextResultUri as string
      }
    },
    async close() {
      // One that stays is ended by the gateway when it was idle for long.
      await call('DELETE', session).catch(() => {})
    },
  }
}

const failure = (message: string) => new FlinkError(message)

/** The last cause in a stack of Java, which is the first thing that went wrong. */
function rootCause(text: string, secrets: readonly string[]): string {
  let errors: string[]
  try {
    errors = (JSON.parse(text) as { errors?: string[] }).errors ?? [text]
  } catch {
    errors = [text]
  }
  const lines = errors.join('\n').split('\n')
  const last = lines.findLastIndex((line) => line.startsWith('Caused by: '))
  // A message may go on on further lines, up to where the stack begins.
  const said = lines
    .slice(Math.max(0, last))
    .filter((line, i) => i === 0 || !/^\s*(at |\.\.\. |End of exception)/.test(line))
  return secrets
    .reduce((words, secret) => words.replaceAll(secret, '…'), said.join(' '))
    .replace(/^Caused by: (?:[\w.$]+: )?/, '')
    .slice(0, 1000)
    .trim()
}
