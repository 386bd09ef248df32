import type { Query } from '@nowcast/protocol'
import type { TokenSource } from './create-token-source.ts'
import { errorFromBody, errorFromCause } from './nowcast-error.ts'
import type { AnswerOf } from './view.ts'

const TIMEOUT_MS = 30_000

async function post(queryUrl: string, token: string, query: Query): Promise<Response> {
  try {
    return await fetch(queryUrl, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(query),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
  } catch (cause) {
    throw errorFromCause(cause)
  }
}

/** Asks once over HTTP; a refused token is fetched again once, where it can be. */
export async function postQuery<Q extends Query>(
  queryUrl: string,
  tokens: TokenSource,
  query: Q,
): Promise<AnswerOf<Q['kind']>> {
  let response = await post(queryUrl, await tokens.current(), query)
  if (response.status === 401 && tokens.renewable) response = await post(queryUrl, await tokens.fresh(), query)
  const body: unknown = await response.json().catch(() => undefined)
  if (response.ok && body) return body as AnswerOf<Q['kind']>
  const fallback = response.status === 401 ? 'invalid_token' : response.status < 500 ? 'invalid_query' : 'internal'
  throw errorFromBody(body, fallback, `The server answered ${response.status}.`)
}
