import type { SeriesAnswer } from '@nowcast/protocol'
import { io, type Socket } from 'socket.io-client'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { knownProject, readTokenOf, signToken } from './servers/known-projects.ts'
import { type HttpAnswer, postQuery, request } from './servers/requests.ts'
import { startServer, type TestServer } from './servers/start-server.ts'

const SHOP = knownProject('shop', {})
const OTHER = knownProject('other', { allowedOrigins: ['https://shop.example'] })
const DAY_MS = 24 * 3_600_000

let server: TestServer
beforeAll(async () => {
  server = await startServer({ config: { projects: [SHOP, OTHER] } })
})
afterAll(async () => {
  // Whatever came in, the server never had a fault of its own.
  expect(server.printed().stderr).not.toContain('a request failed')
  expect(server.printed().stderr).not.toContain('a live request failed')
  expect((await request(`${server.url}/readyz`)).status).toBe(200)
  await server.remove()
})

async function expectError(answer: Promise<HttpAnswer<unknown>>, status: number, code: string) {
  const { body, status: found } = await answer
  expect({ status: found, code: body.error?.code }).toEqual({ status, code })
  expect(body.error?.message).toMatch(/\w+ \w+/)
}

const exp = Math.floor(Date.now() / 1000) + 3600
const badTokens: [what: string, code: string, token: () => string][] = [
  ['no JWT', 'invalid_token', () => 'token'],
  ['the secret key', 'invalid_token', () => SHOP.secretKey],
  [
    'alg none',
    'invalid_token',
    () => `${signToken({ project: 'shop', exp }, '', { alg: 'none' }).split('.').slice(0, 2).join('.')}.`,
  ],
  [
    'alg none with a signature',
    'invalid_token',
    () => signToken({ project: 'shop', exp }, SHOP.readSecret, { alg: 'none' }),
  ],
  ['another algorithm', 'invalid_token', () => signToken({ project: 'shop', exp }, SHOP.readSecret, { alg: 'HS512' })],
  ["another project's secret", 'invalid_token', () => signToken({ project: 'shop', exp }, OTHER.readSecret)],
  ['no project', 'invalid_token', () => signToken({ exp }, SHOP.readSecret)],
  ['an unknown project', 'invalid_token', () => signToken({ project: 'nobody', exp }, SHOP.readSecret)],
  ['no expiry', 'invalid_token', () => signToken({ project: 'shop' }, SHOP.readSecret)],
  [
    'malformed filters',
    'invalid_token',
    () => signToken({ project: 'shop', exp, filters: { country: 'US' } }, SHOP.readSecret),
  ],
  ['malformed metrics', 'invalid_token', () => signToken({ project: 'shop', exp, metrics: 'events' }, SHOP.readSecret)],
  ['an expiry that is over', 'expired_token', () => signToken({ project: 'shop', exp: exp - 7200 }, SHOP.readSecret)],
]

describe('a query', () => {
  const token = readTokenOf(SHOP)
  it.each(badTokens)('with a token that has %s is a 401', async (_what, code, bad) => {
    await expectError(postQuery(server.url, bad(), { kind: 'total' }), 401, code)
  })
  it('without a token is a 401', () =>
    expectError(postQuery(server.url, undefined, { kind: 'total' }), 401, 'missing_token'))

  const total = { kind: 'total' }
  const wrong: [field: string | undefined, query: unknown][] = [
    ['kind', {}],
    ['kind', { kind: 'everything' }],
    ['kind', { kind: 5 }],
    ['metric', { ...total, metric: 'sales' }],
    ['granularity', { kind: 'series', granularity: 'second' }],
    ['range', { ...total, range: { last: '0m' } }],
    ['range', { ...total, range: { last: '1 day' } }],
    ['range', { ...total, range: { last: 5 } }],
    ['range', { ...total, range: 'today' }],
    ['range', { ...total, range: { from: 2, to: 1 } }],
    ['range', { ...total, range: { from: 1, to: 1 } }],
    ['range', { ...total, range: { from: -5, to: 1 } }],
    ['range', { ...total, range: { from: 0, to: 1e300 } }],
    ['filters.planet', { ...total, filters: { planet: ['mars'] } }],
    ['filters.constructor', { ...total, filters: { constructor: ['x'] } }],
    ['filters.country', { ...total, filters: { country: 'US' } }],
    ['filters.country', { ...total, filters: { country: [] } }],
    ['filters.country.0', { ...total, filters: { country: [1] } }],
    ['filters', { ...total, filters: ['US'] }],
    ['filters', { ...total, filters: { country: Array.from({ length: 1001 }, (_, i) => String(i)) } }],
    ['breakdown', { kind: 'breakdown' }],
    ['breakdown', { kind: 'breakdown', breakdown: 'planet' }],
    ['breakdown', { kind: 'breakdown', breakdown: 'properties.' }],
    ['breakdown', { kind: 'series', breakdown: 'toString' }],
    ['timezone', { kind: 'series', timezone: 'Mars/Olympus' }],
    ['timezone', { kind: 'series', timezone: '' }],
    ['limit', { kind: 'recent', limit: 101 }],
    ['limit', { kind: 'breakdown', breakdown: 'country', limit: 0 }],
    ['limit', { kind: 'breakdown', breakdown: 'country', limit: 1.5 }],
    ['anomalies', { kind: 'series', anomalies: { sigma: 0 } }],
    ['bots', { ...total, bots: 'yes' }],
    ['metrics', { ...total, metrics: ['events'] }],
  ]
  it.each(wrong)('that is wrong in %s says so: %j', async (field, query) => {
    const { status, body } = await postQuery(server.url, token, query)
    expect({ status, code: body.error?.code }).toEqual({ status: 400, code: 'invalid_query' })
    expect(body.error?.field?.split('.')[0]).toBe(field?.split('.')[0])
    expect(body.error?.message).toContain(field?.split('.').at(field.startsWith('filters.country') ? 0 : -1))
  })
  it.each(['', '{', 'null', '[]', '5', '"total"'])('that is no query object is a 400: %j', async (body) => {
    const headers = { authorization: `Bearer ${token}` }
    expect((await request(`${server.url}/v1/query`, { method: 'POST', body, headers })).status).toBe(400)
  })
  it('with a filter on __proto__ is refused, not answered without it', async () => {
    const init = {
      method: 'POST',
      body: '{"kind":"total","filters":{"__proto__":["x"]}}',
      headers: { authorization: `Bearer ${token}` },
    }
    expect((await request(`${server.url}/v1/query`, init)).status).toBe(400)
  })
  it('with a value of a megabyte is told how long one may be', async () => {
    const { status, body } = await postQuery(server.url, token, { ...total, filters: { country: ['x'.repeat(1e6)] } })
    expect({ status, ...body.error }).toMatchObject({ status: 400, code: 'invalid_query', field: 'filters.country.0' })
    expect(body.error?.message).toContain('1,024 characters')
  })
  it('has a hundred filters at most', async () => {
    const filters = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`properties.p${i}`, ['x']]))
    const ask = (count: number) =>
      postQuery(server.url, token, { ...total, filters: filters(count), range: { last: '7d' } })
    expect(await ask(100)).toMatchObject({ status: 200, body: { v: 0 } })
    for (const count of [101, 1000]) {
      expect(await ask(count)).toMatchObject({
        status: 400,
        body: { error: { code: 'invalid_query', field: 'filters', message: expect.stringContaining('at most 100') } },
      })
    }
  })
  it.each(['minute', 'hour', 'day'])('of a time to come has every %s in it, each empty', async (granularity) => {
    const from = Math.ceil(Date.now() / DAY_MS) * DAY_MS + 30 * DAY_MS
    const query = { kind: 'series', granularity, range: { from, to: from + DAY_MS }, timezone: 'Asia/Kathmandu' }
    const { status, body } = await postQuery(server.url, token, query)
    expect(status).toBe(200)
    const points = (body as SeriesAnswer).series[0]?.points ?? []
    expect(points).toHaveLength({ minute: 1440, hour: 25, day: 2 }[granularity] as number)
    expect(points.every(({ v, partial }) => v === 0 && partial)).toBe(true)
  })
  it('that is too large is a 413', async () => {
    const init = { method: 'POST', body: ' '.repeat(1024 * 1024 + 1), headers: { authorization: `Bearer ${token}` } }
    await expectError(request(`${server.url}/v1/query`, init), 413, 'body_too_large')
  })
  it.each(["'; DROP TABLE nowcast.events --", '\u0000', '\\', '\ud800', '{x:String}', '💸', "\t\n'"])(
    'with hostile text in filters and breakdown finds nothing: %j',
    async (text) => {
      const range = { last: '7d' }
      for (const filters of [{ country: [text] }, { path: [text] }, { [`properties.${text}`]: [text] }]) {
        const { status, body } = await postQuery(server.url, token, { kind: 'total', range, filters })
        expect({ status, v: (body as { v?: number }).v, error: body.error }).toEqual({
          status: 200,
          v: 0,
          error: undefined,
        })
      }
      const rows = await postQuery(server.url, token, { kind: 'breakdown', breakdown: `properties.${text}`, range })
      expect(rows.status).toBe(200)
    },
  )
})

describe('the live socket', () => {
  const sockets: Socket[] = []
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.disconnect()
  })
  function connect(auth: object): Socket {
    const socket = io(server.url, {
      path: '/live',
      transports: ['websocket'],
      auth,
      reconnection: false,
      forceNew: true,
    })
    sockets.push(socket)
    return socket
  }
  function refusal(auth: object): Promise<string> {
    return new Promise((resolve) => {
      const socket = connect(auth)
      socket.on('connect', () => resolve('connected'))
      socket.on('connect_error', (error) =>
        resolve((error as Error & { data?: { code: string } }).data?.code ?? error.message),
      )
    })
  }
  async function connected(): Promise<Socket> {
    const socket = connect({ token: readTokenOf(SHOP) })
    await new Promise<void>((resolve, reject) => socket.on('connect', resolve).on('connect_error', reject))
    return socket
  }

  it.each(badTokens)('refuses a token that has %s', async (_what, code, bad) => {
    expect(await refusal({ token: bad() })).toBe(code)
  })
  it.each([{}, { token: '' }, { token: 5 }, { token: null }, { token: ['x'] }])('refuses %j', async (auth) => {
    expect(await refusal(auth)).toBe('missing_token')
  })
  it.each([
    null,
    5,
    'total',
    [],
    {},
    { kind: 'everything' },
    { kind: 'total', every: 10 },
    { kind: 'total', every: 'often' },
  ])('says what is wrong with the subscription %j, and goes on', async (query) => {
    const socket = await connected()
    const answer = await socket.timeout(5000).emitWithAck('subscribe', query)
    expect(answer.error).toMatchObject({ code: 'invalid_query', message: expect.any(String) })
    expect(await socket.timeout(5000).emitWithAck('subscribe', { kind: 'total' })).toMatchObject({ revision: 0 })
  })
  it('says what is wrong with other requests, and goes on', async () => {
    const socket = await connected()
    for (const request of [null, {}, { id: 5, revision: 0 }, { id: 'x', revision: -1 }])
      expect((await socket.timeout(5000).emitWithAck('resume', request)).error.code).toBe('invalid_query')
    expect((await socket.timeout(5000).emitWithAck('resume', { id: 'x', revision: 1 })).error.code).toBe('not_found')
    expect((await socket.timeout(5000).emitWithAck('unsubscribe', 7)).error.code).toBe('invalid_query')
    expect((await socket.timeout(5000).emitWithAck('authenticate', { token: 'x' })).error.code).toBe('invalid_token')
    expect((await socket.timeout(5000).emitWithAck('authenticate', 'x')).error.code).toBe('invalid_query')
    for (const event of ['subscribe', 'resume', 'unsubscribe', 'authenticate', 'unknown']) {
      socket.emit(event)
      socket.emit(event, 'no callback', {}, 5)
    }
    expect(await socket.timeout(5000).emitWithAck('subscribe', { kind: 'total' })).toMatchObject({ revision: 0 })
  })
  it('ends a connection that sends too much, and no other', async () => {
    const [greedy, modest] = [await connected(), await connected()]
    const gone = new Promise((resolve) => greedy.on('disconnect', resolve))
    greedy.emit('subscribe', { kind: 'total', filters: { country: ['x'.repeat(100_000)] } })
    await gone
    expect(await modest.timeout(5000).emitWithAck('subscribe', { kind: 'total' })).toMatchObject({ revision: 0 })
  })
  it("refuses the page of another origin, and another project's subscription", async () => {
    const socket = await connected()
    const { id } = await socket.timeout(5000).emitWithAck('subscribe', { kind: 'total', metric: 'clicks' })
    const stranger = connect({ token: readTokenOf(OTHER) })
    expect((await stranger.timeout(5000).emitWithAck('resume', { id, revision: 0 })).error.code).toBe('not_found')
    const page = io(server.url, {
      path: '/live',
      transports: ['websocket'],
      auth: { token: readTokenOf(OTHER) },
      extraHeaders: { origin: 'https://evil.example' },
      reconnection: false,
      forceNew: true,
    })
    sockets.push(page)
    const code = await new Promise((resolve) =>
      page.on('connect_error', (error) => resolve((error as Error & { data?: { code: string } }).data?.code)),
    )
    expect(code).toBe('origin_not_allowed')
  })
})
