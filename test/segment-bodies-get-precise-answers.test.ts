import { gzipSync } from 'node:zlib'
import type { RejectedEvent, TotalAnswer } from '@nowcast/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { knownProject, readTokenOf } from './servers/known-projects.ts'
import { ask, type HttpAnswer, postEvents, request } from './servers/requests.ts'
import { startServer, type TestServer } from './servers/start-server.ts'
import { until } from './servers/until.ts'

const SHOP = knownProject('shop', {})
const STRICT = knownProject('strict', { trustedRevenue: true, allowedOrigins: ['https://shop.example'] })
const ONE = { type: 'track', userId: 'u1', event: 'x' }
const TYPES = { track: 't', page: 'p', screen: 's', identify: 'i', group: 'g', alias: 'a', batch: 'b' }

interface SegmentAnswer {
  success: boolean
  accepted: number
  rejected: RejectedEvent[]
}

let server: TestServer
beforeAll(async () => {
  server = await startServer({ config: { projects: [SHOP, STRICT] } })
})
afterAll(async () => {
  expect(server.printed().stderr).not.toContain('a request failed')
  expect((await request(`${server.url}/readyz`)).status).toBe(200)
  await server.remove()
})

const basic = (key: string) => ({ authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}` })
function post(path: string, body: unknown, headers: Record<string, string> = basic(SHOP.secretKey)) {
  const text = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body)
  return request<SegmentAnswer>(`${server.url}${path}`, { method: 'POST', body: text as string, headers })
}
const codes = ({ status, body }: HttpAnswer<SegmentAnswer>) => [status, body.error?.code, body.error?.field]
const total = (project: typeof SHOP, metric: string, filters = {}) =>
  ask<TotalAnswer>(server.url, readTokenOf(project), {
    kind: 'total',
    metric,
    range: { last: '1h' },
    filters,
    bots: true,
  })

describe('the protocol', () => {
  it.each(Object.entries(TYPES))('%s is taken at both its paths', async (type, short) => {
    const body = type === 'batch' ? { batch: [ONE] } : { ...ONE, type: undefined, groupId: 'g', previousId: 'p' }
    for (const path of [`/v1/${type}`, `/v1/${short}`]) {
      expect(await post(path, body)).toMatchObject({ status: 200, body: { success: true, accepted: 1, rejected: [] } })
    }
    expect(codes(await request(`${server.url}/v1/${type}`))).toEqual([405, 'method_not_allowed', undefined])
  })
  it('what the SDKs for Ruby, Java and Android send to /v1/import is a batch', async () => {
    const headers = { ...basic(SHOP.writeKey), 'content-encoding': 'gzip', 'content-type': 'application/json' }
    const body = { batch: [ONE], sentAt: new Date().toISOString(), context: { library: { name: 'analytics-ruby' } } }
    expect(await post('/v1/import', gzipSync(JSON.stringify(body)), headers)).toMatchObject({
      ...{ status: 200, body: { success: true, accepted: 1, rejected: [] } },
    })
  })
  it('the key may come as Basic user name, Bearer, writeKey in the body, or in the address', async () => {
    const body = { batch: [ONE] }
    expect((await post('/v1/batch', body, basic(SHOP.writeKey))).status).toBe(200)
    expect((await post('/v1/batch', body, { authorization: `Bearer ${SHOP.writeKey}` })).status).toBe(200)
    expect((await post('/v1/batch', { ...body, writeKey: SHOP.writeKey }, {})).status).toBe(200)
    expect((await post(`/v1/batch?writeKey=${SHOP.writeKey}`, body, {})).status).toBe(200)
    expect((await post('/v1/t', { ...ONE, writeKey: SHOP.writeKey }, { 'content-type': 'text/plain' })).status).toBe(
      200,
    )
  })
  it('no key, an unknown key and a strange origin are refused', async () => {
    expect(codes(await post('/v1/batch', { batch: [ONE] }, {}))).toEqual([401, 'missing_key', undefined])
    expect(codes(await post('/v1/batch', { batch: [ONE] }, { authorization: 'Basic !!!' }))[0]).toBe(401)
    expect(codes(await post('/v1/batch', { batch: [ONE] }, { authorization: 'Digest x' }))[0]).toBe(401)
    expect(codes(await post('/v1/batch', { batch: [ONE] }, basic('nc_pub_nobody_0000')))[0]).toBe(403)
    const stranger = { ...basic(STRICT.writeKey), origin: 'https://else.example' }
    expect(codes(await post('/v1/batch', { batch: [ONE] }, stranger))).toEqual([403, 'origin_not_allowed', undefined])
  })
  it('gzip is inflated', async () => {
    const headers = { ...basic(SHOP.secretKey), 'content-encoding': 'gzip', 'content-type': 'application/json' }
    expect((await post('/v1/batch', gzipSync(JSON.stringify({ batch: [ONE] })), headers)).status).toBe(200)
  })
  it('a preflight allows what the browser SDK sends', async () => {
    const { status, headers } = await request(`${server.url}/v1/t`, {
      method: 'OPTIONS',
      headers: { origin: 'https://a.example', 'access-control-request-method': 'POST' },
    })
    expect(status).toBe(204)
    const allowed = headers.get('access-control-allow-headers')?.split(', ')
    expect(allowed).toEqual(expect.arrayContaining(['authorization', 'content-type', 'x-retry-count']))
  })
  it('settings name this server, to pages with the write key only', async () => {
    const settings = (key: string, headers = {}) => request(`${server.url}/v1/projects/${key}/settings`, { headers })
    const segment = { apiKey: SHOP.writeKey, apiHost: `127.0.0.1:${server.port}/v1`, protocol: 'http' }
    expect((await settings(SHOP.writeKey)).body.integrations).toMatchObject({ 'Segment.io': segment })
    const behindTls = await settings(SHOP.writeKey, { 'x-forwarded-proto': 'https' })
    expect(behindTls.body.integrations).toMatchObject({ 'Segment.io': { protocol: 'https' } })
    expect((await settings(SHOP.secretKey)).status).toBe(403)
    expect((await settings('nobody')).status).toBe(403)
  })
})

describe('what cannot be used', () => {
  it.each([
    ['/v1/batch', 'x', 400, 'invalid_json', undefined],
    ['/v1/batch', '[]', 400, 'invalid_body', 'batch'],
    ['/v1/batch', '{"batch":{}}', 400, 'invalid_body', 'batch'],
    ['/v1/track', '[]', 400, 'invalid_body', undefined],
    ['/v1/track', 'null', 400, 'invalid_body', undefined],
    ['/v1/track', '{"userId":"u"}', 400, 'all_rejected', undefined],
    // Too large is a 400 here: Segment's SDKs would send any other answer's batch again.
    ['/v1/batch', JSON.stringify({ batch: Array.from({ length: 1001 }, () => ONE) }), 400, 'too_many_events', 'batch'],
    ['/v1/batch', `{"batch":[]}${' '.repeat(1024 * 1024)}`, 400, 'body_too_large', undefined],
    ['/v1/batch', gzipSync(Buffer.alloc(9 * 1024 * 1024, 32)), 400, 'body_too_large', undefined],
  ])('%s with %.40s: %d %s', async (path, body, status, code, field) => {
    const headers = { ...basic(SHOP.secretKey), ...(typeof body === 'string' ? {} : { 'content-encoding': 'gzip' }) }
    expect(codes(await post(path, body, headers))).toEqual([status, code, field])
  })
  it('99 of 100 are taken, and the answer says which is not and why', async () => {
    const batch = Array.from({ length: 100 }, (_, i) => ({ ...ONE, messageId: `m${i}`, event: i === 4 ? 7 : 'x' }))
    const { status, body } = await post('/v1/batch', { batch })
    const message = expect.stringContaining('event')
    expect([status, body]).toEqual([
      200,
      { success: true, accepted: 99, rejected: [{ index: 4, id: 'm4', code: 'invalid_name', message }] },
    ])
  })
  it('a page may not send revenue where only servers may', async () => {
    const order = { ...ONE, event: 'Order Completed', properties: { revenue: 5 } }
    const origin = { origin: 'https://shop.example' }
    const { status, body } = await post('/v1/t', order, { ...basic(STRICT.writeKey), ...origin })
    expect([status, body.rejected[0]?.code]).toEqual([400, 'untrusted_revenue'])
    expect((await post('/v1/t', order, basic(STRICT.secretKey))).status).toBe(200)
    await until(1, async () => (await total(STRICT, 'purchases')).v)
  })
  it.each([
    '{"type":"track","userId":"\\u0000","event":"x","properties":{"a":"\\u0000\\ud800"}}',
    `{"type":"track","userId":"u","event":"x","context":${'{"a":'.repeat(500)}1${'}'.repeat(500)}}`,
    '{"type":"page","userId":"u","__proto__":{"a":1},"properties":{"__proto__":{"b":1},"url":"\\ud800?a=1"}}',
    '{"type":"track","userId":"u","event":"x","timestamp":"2026-99-99","properties":{"products":[null,1,[]]}}',
    `{"type":"track","userId":"u","event":"x","properties":{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}}`,
    '{"type":"track","userId":1e400,"event":"x","context":{"campaign":{"name":"\\ud800&utm_source=x"},"page":5}}',
  ])('hostile and harmless: %.60s', async (item) => {
    const { status, body } = await post('/v1/batch', `{"batch":[${item},${JSON.stringify(ONE)}]}`)
    expect(status).toBe(200)
    expect(body.accepted + body.rejected.length).toBe(2)
    expect(body.rejected.every(({ index }) => index === 0)).toBe(true)
  })
})

describe('meanings', () => {
  it('an event counts once, sent natively, by itself and in a batch', async () => {
    const before = (await total(SHOP, 'events', { name: ['thrice'] })).v
    const message = { ...ONE, event: 'thrice', messageId: 'thrice-1', properties: { revenue: 1.5 } }
    await postEvents(server.url, SHOP.secretKey, {
      events: [{ id: 'thrice-1', name: 'thrice', userId: 'u1', revenue: 1.5 }],
    })
    await post('/v1/track', message)
    await post('/v1/batch', { batch: [message, message] })
    await until(before + 1, async () => (await total(SHOP, 'events', { name: ['thrice'] })).v)
    expect(await server.run('audit')).toMatchObject({ code: 0 })
  })
  it('a clock that is wrong by a day is corrected by sentAt', async () => {
    const wrong = Date.now() - 24 * 3_600_000
    const message = { ...ONE, event: 'skewed', timestamp: new Date(wrong - 1000).toISOString() }
    expect((await post('/v1/batch', { batch: [message], sentAt: new Date(wrong).toISOString() })).status).toBe(200)
    await until(1, async () => (await total(SHOP, 'events', { name: ['skewed'] })).v)
  })
})
