import type { Answer, ErrorBody, EventInput, IngestAnswer } from '@nowcast/protocol'

export interface HttpAnswer<T> {
  status: number
  headers: Headers
  body: T & Partial<ErrorBody>
}

/** Any request; the answer's body is parsed where it is JSON. */
export async function request<T = Record<string, unknown>>(
  url: string,
  init: RequestInit = {},
): Promise<HttpAnswer<T>> {
  const answer = await fetch(url, init)
  const text = await answer.text()
  const isJson = answer.headers.get('content-type')?.includes('json')
  return { status: answer.status, headers: answer.headers, body: isJson ? JSON.parse(text) : ({ text } as T) }
}

/** `POST /v1/events` with a batch. */
export function postEvents(url: string, key: string, batch: object): Promise<HttpAnswer<IngestAnswer>> {
  return request(`${url}/v1/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify(batch),
  })
}

/** Sends events, at most 1,000 a batch; every one must be accepted. */
export async function sendEvents(url: string, key: string, events: readonly EventInput[]): Promise<void> {
  for (let i = 0; i < events.length; i += 1000) {
    const part = events.slice(i, i + 1000)
    const { status, body } = await postEvents(url, key, { events: part })
    if (status !== 202 || body.accepted !== part.length) throw new Error(`not accepted: ${JSON.stringify(body)}`)
  }
}

/** `POST /v1/query`. */
export function postQuery<T extends Answer = Answer>(
  url: string,
  token: string | undefined,
  query: unknown,
): Promise<HttpAnswer<T>> {
  return request(`${url}/v1/query`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify(query),
  })
}

/** The answer to a query that is answered. */
export async function ask<T extends Answer>(url: string, token: string, query: object): Promise<T> {
  const { status, body } = await postQuery<T>(url, token, query)
  if (status !== 200) throw new Error(`${status}: ${JSON.stringify(body)} to ${JSON.stringify(query)}`)
  return body
}
