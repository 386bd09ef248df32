import { gzipSync } from 'node:zlib'
import type { IngestAnswer } from '@nowcast/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { knownProject, readTokenOf } from './servers/known-projects.ts'
import { type HttpAnswer, postEvents, request } from './servers/requests.ts'
import { startServer, type TestServer } from './servers/start-server.ts'

const SHOP = knownProject('shop', {})
const OTHER = knownProject('other', { allowedOrigins: ['https://shop.example'], trustedRevenue: true })
const EVENT = { name: 'click', userId: 'u1' }

let server: TestServer
beforeAll(async () => {
  server = await startServer({
    config: { projects: [SHOP, OTHER], requestsPerSecond: 20 },
    flags: ['--trust-proxy', '1'],
  })
})
afterAll(async () => {
  // Whatever came in, the server never had a fault of its own.
  expect(server.printed().stderr).not.toContain('a request failed')
  expect((await request(`${server.url}/readyz`)).status).toBe(200)
  await server.remove()
})

/** `POST /v1/events` with a body as it is. */
function post(
  body: string | Uint8Array,
  headers: Record<string, string> = {},
  query = '',
): Promise<HttpAnswer<IngestAnswer>> {
  const key = { authorization: `Bearer ${SHOP.secretKey}` }
  return request(`${server.url}/v1/events${query}`, {
    method: 'POST',
    body: body as string,
    headers: { ...key, ...headers },
  })
}

async function expectError(answer: Promise<HttpAnswer<unknown>>, status: number, code: string, field?: string) {
  const { body, status: found } = await answer
  expect({ status: found, code: body.error?.code, field: body.error?.field }).toEqual({ status, code, field })
  expect(body.error?.message).toMatch(/\w+ \w+/)
}

describe('a batch that cannot be used as a whole', () => {
  it.each(['', 'purchase', '{"events":[', '{"events":[{}],}', '\u0000', '{"events":[NaN]}'])(
    'is no JSON: %j',
    async (body) => expectError(post(body), 400, 'invalid_json'),
  )
  it.each(['null', '5', '"events"', '[]', '{}', '{"events":null}', '{"events":{"0":{}}}', '{"events":"[]"}'])(
    'has no array of events: %s',
    async (body) => expectError(post(body), 400, 'invalid_body', 'events'),
  )
  it.each([
    ['sentAt', '"now"'],
    ['sentAt', '-1'],
    ['sentAt', '1e999'],
    ['context', '"US"'],
    ['context', '{"device":"toaster"}'],
    ['context', '{"country":7}'],
  ])('has a wrong %s: %s', async (field, value) => {
    await expectError(post(`{"${field}":${value},"events":[${JSON.stringify(EVENT)}]}`), 400, 'invalid_body', field)
  })
  it('is answered when it is empty', async () => {
    expect(await post('{"events":[]}')).toMatchObject({ status: 202, body: { accepted: 0, rejected: [] } })
  })
  it('may have 1,000 events and not one more', async () => {
    const events = Array.from({ length: 1001 }, () => EVENT)
    expect((await post(JSON.stringify({ events: events.slice(1) }))).body.accepted).toBe(1000)
    await expectError(post(JSON.stringify({ events })), 413, 'too_many_events', 'events')
  })
  it('may have 1 MiB on the wire and not one byte more', async () => {
    const body = JSON.stringify({ events: [EVENT] })
    expect((await post(body.padEnd(1024 * 1024))).status).toBe(202)
    await expectError(post(body.padEnd(1024 * 1024 + 1)), 413, 'body_too_large')
  })
  it('may not hide its length by coming in chunks', async () => {
    let sent = 0
    const stream = new ReadableStream({
      pull(controller) {
        sent += 65_536
        if (sent > 2 * 1024 * 1024) controller.close()
        else controller.enqueue(new Uint8Array(65_536).fill(32))
      },
    })
    const init = {
      method: 'POST',
      body: stream,
      duplex: 'half',
      headers: { authorization: `Bearer ${SHOP.secretKey}` },
    }
    // The server may close the connection before all is sent.
    const answer = await request(`${server.url}/v1/events`, init as RequestInit).catch(() => undefined)
    if (answer) expect(answer.status).toBe(413)
    // Nor may it hold up the next request on its connection.
    expect((await post(JSON.stringify({ events: [EVENT] }))).status).toBe(202)
  })
  it('may have 8 MiB inflated and not one byte more', async () => {
    const zipped = (bytes: number) => gzipSync(JSON.stringify({ events: [EVENT] }).padEnd(bytes))
    const headers = { 'content-encoding': 'gzip' }
    expect((await post(zipped(8 * 1024 * 1024), headers)).status).toBe(202)
    await expectError(post(zipped(8 * 1024 * 1024 + 1), headers), 413, 'body_too_large')
    await expectError(post(zipped(200 * 1024 * 1024), headers), 413, 'body_too_large')
  })
  it('says gzip and is not, or is cut', async () => {
    const headers = { 'content-encoding': 'gzip' }
    await expectError(post(JSON.stringify({ events: [EVENT] }), headers), 400, 'invalid_json')
    await expectError(post(gzipSync('{"events":[]}').subarray(0, 15), headers), 400, 'invalid_json')
  })
  it.each(['br', 'deflate', 'zstd', 'gzip, gzip'])('has the encoding %s', async (encoding) => {
    await expectError(post('{}', { 'content-encoding': encoding }), 415, 'unsupported_encoding')
  })
  it('is nested a hundred thousand deep', async () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000)
    const { status, body } = await post(`{"events":[{"name":"click","userId":"u","properties":{"a":${deep}}}]}`)
    expect([status, body.rejected[0]?.code]).toEqual([400, 'invalid_properties'])
    expect((await post(`{"events":[${deep}]}`)).body.rejected[0]?.code).toBe('invalid_event')
  })
  it('goes to a wrong method or path', async () => {
    const wrong = request(`${server.url}/v1/events`)
    await expectError(wrong, 405, 'method_not_allowed')
    expect((await wrong).headers.get('allow')).toBe('POST, OPTIONS')
    await expectError(request(`${server.url}/v1/event`, { method: 'POST' }), 404, 'not_found')
  })
})

describe('a batch of which parts are wrong', () => {
  it('99 of 100 are accepted, and the answer says which one is not, and why', async () => {
    const events = Array.from({ length: 100 }, (_, i) => ({
      ...EVENT,
      id: `partial-${i}`,
      revenue: i === 4 ? 'ten' : '1',
    }))
    const { status, body } = await post(JSON.stringify({ events }))
    expect(status).toBe(202)
    expect(body).toEqual({
      accepted: 99,
      rejected: [{ index: 4, id: 'partial-4', code: 'invalid_revenue', message: expect.stringContaining('revenue') }],
    })
  })
  it('a batch without a good event is a 400 with the reasons', async () => {
    const { status, body } = await post('{"events":[5,{"name":"click"}]}')
    expect(status).toBe(400)
    expect(body).toMatchObject({ accepted: 0, error: { code: 'all_rejected' } })
    expect(body.rejected.map(({ index, code }) => [index, code])).toEqual([
      [0, 'invalid_event'],
      [1, 'missing_user'],
    ])
  })

  const wrong: [code: string, ...events: string[]][] = [
    ['invalid_event', 'null', '5', '"click"', '[]', 'true'],
    ['invalid_id', '{"id":""}', '{"id":7}', `{"id":"${'i'.repeat(65)}"}`, '{"id":{}}'],
    [
      'invalid_name',
      '{"name":""}',
      '{"name":null}',
      '{"name":5}',
      `{"name":"${'n'.repeat(65)}"}`,
      '{"name":"a\\u0000b"}',
      '{"name":"a\\nb"}',
    ],
    [
      'invalid_timestamp',
      '{"timestamp":"yesterday"}',
      '{"timestamp":-1}',
      '{"timestamp":1e999}',
      '{"timestamp":true}',
      '{"timestamp":"2026-02-31T00:00:00Z"}',
      '{"timestamp":"2026-01-01T25:00:00Z"}',
      '{"timestamp":"1969-12-31T23:59:59Z"}',
      '{"timestamp":"999999-01-01"}',
    ],
    ['missing_user', '{"userId":null}', '{"userId":""}', '{"userId":"","anonymousId":""}'],
    ['invalid_user', '{"userId":7}', `{"userId":"${'u'.repeat(257)}"}`, '{"anonymousId":[]}'],
    ['invalid_session', '{"sessionId":7}'],
    ['invalid_url', `{"url":"${'u'.repeat(2049)}"}`, '{"url":{}}'],
    ['invalid_referrer', '{"referrer":false}'],
    ['invalid_title', `{"title":"${'t'.repeat(513)}"}`],
    ['invalid_category', `{"category":"${'c'.repeat(257)}"}`, '{"category":["shoes"]}', '{"category":"a\\u0007"}'],
    [
      'invalid_revenue',
      '{"revenue":"NaN"}',
      '{"revenue":"Infinity"}',
      '{"revenue":1e999}',
      '{"revenue":"1e3"}',
      '{"revenue":1e21}',
      '{"revenue":1e-7}',
      '{"revenue":"1.23456"}',
      '{"revenue":1.23456}',
      '{"revenue":""}',
      '{"revenue":" 1"}',
      '{"revenue":"1,5"}',
      '{"revenue":"0x10"}',
      '{"revenue":"1000000000.0001"}',
      '{"revenue":true}',
      '{"revenue":{"amount":1}}',
      '{"revenue":"٣"}',
      '{"revenue":"."}',
    ],
    [
      'invalid_currency',
      '{"revenue":1,"currency":"euro"}',
      '{"revenue":1,"currency":"eur"}',
      '{"currency":5}',
      '{"revenue":1,"currency":""}',
    ],
    [
      'invalid_context',
      '{"context":5}',
      '{"context":{"device":"toaster"}}',
      '{"context":{"country":"Germany"}}',
      '{"context":{"userAgent":7}}',
    ],
    [
      'invalid_properties',
      '{"properties":[]}',
      '{"properties":"{}"}',
      `{"properties":{"a":"${'p'.repeat(8185)}"}}`,
      `{"properties":${'{"a":'.repeat(17)}1${'}'.repeat(17)}}`,
    ],
  ]
  it.each(wrong)('%s names its field and harms no neighbour', async (code, ...events) => {
    const whole = events.map((event) => {
      if (!event.startsWith('{')) return event
      // A field that is given twice has its last value.
      return `{"name":"click","userId":"u1",${event.slice(1)}`
    })
    const { status, body } = await post(`{"events":[${whole.join(',')},${JSON.stringify(EVENT)}]}`)
    expect([status, body.accepted]).toEqual([202, 1])
    expect(body.rejected.map((one) => `${events[one.index]}: ${one.code}`)).toEqual(
      events.map((event) => `${event}: ${code}`),
    )
    const field =
      code === 'missing_user'
        ? /userId or anonymousId/
        : new RegExp(
            code === 'invalid_user'
              ? 'userId|anonymousId'
              : code === 'invalid_session'
                ? 'sessionId'
                : code.replace('invalid_', ''),
          )
    for (const { message } of body.rejected) expect(message).toMatch(field)
  })
  it('what the public key may not say', async () => {
    const old = { ...EVENT, timestamp: Date.now() - 7 * 86_400_000 - 60_000 }
    const young = { ...EVENT, timestamp: Date.now() - 7 * 86_400_000 + 60_000 }
    const { body } = await postEvents(server.url, SHOP.writeKey, { events: [old, young] })
    expect(body.accepted).toBe(1)
    expect(body.rejected).toMatchObject([{ index: 0, code: 'timestamp_too_old' }])
    const untrusted = await postEvents(server.url, OTHER.writeKey, { events: [EVENT, { ...EVENT, revenue: 1 }] })
    expect(untrusted.body.rejected).toMatchObject([{ index: 1, code: 'untrusted_revenue' }])
    expect((await postEvents(server.url, OTHER.secretKey, { events: [{ ...EVENT, revenue: 1 }] })).status).toBe(202)
  })
})

describe('keys', () => {
  const body = JSON.stringify({ events: [EVENT] })
  it('a key may stand in the header, the address or the body', async () => {
    const send = (init: RequestInit, query = '') =>
      request(`${server.url}/v1/events${query}`, { method: 'POST', body, ...init }).then(({ status }) => status)
    expect(await send({ headers: { authorization: `Bearer ${SHOP.writeKey}` } })).toBe(202)
    expect(await send({ headers: { 'content-type': 'text/plain' } }, `?key=${SHOP.writeKey}`)).toBe(202)
    expect(await send({ body: JSON.stringify({ key: SHOP.writeKey, events: [EVENT] }) })).toBe(202)
    const zipped = gzipSync(JSON.stringify({ key: SHOP.writeKey, events: [EVENT] }))
    expect(await send({ body: zipped, headers: { 'content-encoding': 'gzip', 'content-type': 'text/plain' } })).toBe(
      202,
    )
  })
  it('none is a 401, an unknown one a 403', async () => {
    await expectError(request(`${server.url}/v1/events`, { method: 'POST', body }), 401, 'missing_key')
    await expectError(post(body, { authorization: 'Basic abc' }), 401, 'missing_key')
    await expectError(post(body, { authorization: 'Bearer nc_pub_nobody_knows' }), 403, 'unknown_key')
    await expectError(post(body, { authorization: `Bearer ${readTokenOf(SHOP)}` }), 403, 'unknown_key')
    const inBody = { method: 'POST', body: JSON.stringify({ key: 5, events: [EVENT] }) }
    await expectError(request(`${server.url}/v1/events`, inBody), 401, 'missing_key')
  })
  it('a public key is limited by address; loopback and the secret key are not', async () => {
    const burst = async (key: string, address: string | undefined) => {
      const headers: Record<string, string> = {
        authorization: `Bearer ${key}`,
        ...(address && { 'x-forwarded-for': address }),
      }
      const answers = Array.from({ length: 90 }, () =>
        request(`${server.url}/v1/events`, { method: 'POST', body, headers }),
      )
      return Promise.all(answers)
    }
    const limited = await burst(SHOP.writeKey, '203.0.113.9')
    const refused = limited.filter(({ status }) => status === 429)
    // At most two seconds of 20 are touched, three on a slow machine.
    expect(refused.length).toBeGreaterThanOrEqual(30)
    expect(limited.length - refused.length).toBeGreaterThanOrEqual(20)
    for (const { headers, body } of refused) {
      expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
      expect(body.error?.code).toBe('rate_limited')
    }
    for (const [key, address] of [
      [SHOP.secretKey, '203.0.113.9'],
      [SHOP.writeKey, undefined],
    ] as const)
      expect((await burst(key, address)).every(({ status }) => status === 202)).toBe(true)
  })
})

describe('pages of other origins', () => {
  const origin = 'https://shop.example'
  it.each(['events', 'query'])('may ask /v1/%s with their own headers', async (path) => {
    const asked = {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type,content-encoding',
    }
    const { status, headers } = await request(`${server.url}/v1/${path}`, { method: 'OPTIONS', headers: asked })
    expect(status).toBe(204)
    expect([origin, '*']).toContain(headers.get('access-control-allow-origin'))
    expect(headers.get('access-control-allow-methods')).toContain('POST')
    for (const name of ['authorization', 'content-type', 'content-encoding'])
      expect(headers.get('access-control-allow-headers')).toContain(name)
  })
  it('can read errors', async () => {
    for (const answer of [
      post('{', { origin }),
      post('{}', { origin, authorization: 'Bearer x' }),
      post(' '.repeat(1024 * 1024 + 1), { origin }),
      request(`${server.url}/v1/query`, { headers: { origin } }),
    ])
      expect([origin, '*']).toContain((await answer).headers.get('access-control-allow-origin'))
  })
  it('are refused when the project names its own', async () => {
    const body = JSON.stringify({ events: [EVENT] })
    const from = (page: string) => post(body, { authorization: `Bearer ${OTHER.writeKey}`, origin: page })
    expect((await from(origin)).status).toBe(202)
    await expectError(from('https://evil.example'), 403, 'origin_not_allowed')
    await expectError(from('null'), 403, 'origin_not_allowed')
    const query = (page: string) =>
      request(`${server.url}/v1/query`, {
        method: 'POST',
        body: '{"kind":"total"}',
        headers: { authorization: `Bearer ${readTokenOf(OTHER)}`, origin: page },
      })
    expect((await query(origin)).status).toBe(200)
    await expectError(query('https://evil.example'), 403, 'origin_not_allowed')
  })
})
