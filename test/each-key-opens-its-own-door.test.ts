import type { FunnelAnswer, OverviewAnswer, Series, TotalAnswer } from '@nowcast/protocol'
import { METRICS } from '@nowcast/protocol'
import { io, type Socket } from 'socket.io-client'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { knownProject, readTokenOf, signToken } from './servers/known-projects.ts'
import { ask, postQuery, request, sendEvents } from './servers/requests.ts'
import { startServer, type TestServer } from './servers/start-server.ts'
import { until } from './servers/until.ts'

/*
 * Every endpoint with every kind of key and token, of the right project and of another; and what a token with filters
 * or metrics sees of every kind of question. All that belongs to another tenant has "globex" in it, in every field.
 */

const SHOP = knownProject('shop', {
  hotDimensions: ['tenantId'],
  readSecret: 'the-read-secret-of-shop-long-enough',
})
const OTHER = knownProject('other', {})
const soon = () => Math.floor(Date.now() / 1000) + 3600
const acme = readTokenOf(SHOP, { filters: { tenantId: ['acme'] } })
const countsOnly = readTokenOf(SHOP, { metrics: ['events', 'users'] })
const unsigned = () => signToken({ project: 'shop', exp: soon() }, SHOP.readSecret, { alg: 'none', typ: 'JWT' })

const CREDENTIALS: Record<string, string | undefined> = {
  nothing: undefined,
  'the write key': SHOP.writeKey,
  'the secret key': SHOP.secretKey,
  'a token': readTokenOf(SHOP),
  'a token with filters': acme,
  'a token with metrics': countsOnly,
  "another project's write key": OTHER.writeKey,
  "another project's secret key": OTHER.secretKey,
  "another project's token": readTokenOf(OTHER),
  'an expired token': signToken({ project: 'shop', exp: soon() - 7200 }, SHOP.readSecret),
  'a token without an end': signToken({ project: 'shop' }, SHOP.readSecret),
  "a token signed with another project's secret": signToken({ project: 'shop', exp: soon() }, OTHER.readSecret),
  'a token signed with the secret key': signToken({ project: 'shop', exp: soon() }, SHOP.secretKey),
  'a token of no project': signToken({ project: 'nobody', exp: soon() }, SHOP.readSecret),
  'a token of algorithm none': unsigned(),
  'a token of algorithm none without signature': unsigned().replace(/[^.]*$/, ''),
  'a token of HS512': signToken({ project: 'shop', exp: soon() }, SHOP.readSecret, { alg: 'HS512', typ: 'JWT' }),
  'a token whose filters are none': readTokenOf(SHOP, { filters: { tenantId: [] } }),
  'the read secret itself': SHOP.readSecret,
  'a key that was guessed': 'nc_sec_shop_00000001',
}
type Credential = string

const KINDS = {
  series: { kind: 'series', range: { last: '2h' } },
  total: { kind: 'total', range: { last: '2h' } },
  breakdown: { kind: 'breakdown', breakdown: 'country', range: { last: '2h' } },
  funnel: { kind: 'funnel', steps: [{ name: 'page_view' }, { name: 'purchase' }], range: { last: '2h' } },
  recent: { kind: 'recent', range: { last: '2h' } },
  overview: { kind: 'overview' },
} as const

const READERS = ['a token', 'a token with filters', "another project's token"]
const WRITERS = ['the write key', 'the secret key', "another project's write key", "another project's secret key"]

let server: TestServer
const sockets: Socket[] = []
beforeAll(async () => {
  server = await startServer({ config: { projects: [SHOP, OTHER] } })
  await sendEvents(server.url, SHOP.secretKey, [...eventsOf('acme', 30), ...eventsOf('globex', 50)] as never)
  await until(80, async () => {
    const total = { kind: 'total', range: { last: '2h' }, filters: { path: ['/acme', '/globex'] }, bots: true }
    return (await ask<TotalAnswer>(server.url, readTokenOf(SHOP), total)).v
  })
})
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.disconnect()
})
afterAll(() => server?.remove())

function eventsOf(tenant: string, count: number): object[] {
  return Array.from({ length: count }, (_, i) => ({
    name: i % 3 === 0 ? 'page_view' : i % 3 === 1 ? 'purchase' : `${tenant}-only`,
    userId: `${tenant}-${i % 7}`,
    sessionId: `${tenant}-s${i % 5}`,
    timestamp: Date.now() - i * 60_000,
    url: `https://shop.example/${tenant}?utm_source=${tenant}&utm_medium=${tenant}&utm_campaign=${tenant}`,
    referrer: `https://${tenant}.example/`,
    title: tenant,
    category: tenant,
    ...(i % 3 === 1 && { revenue: tenant === 'acme' ? '1.00' : '1000.00' }),
    context: { country: tenant === 'acme' ? 'DE' : 'FR', browser: tenant, os: tenant, device: 'mobile' },
    properties: { tenantId: tenant, secret: tenant },
  }))
}

const bearer = (key: string | undefined): Record<string, string> =>
  key === undefined ? {} : { authorization: `Bearer ${key}` }
const post = (path: string, key: string | undefined, body: object) =>
  request(`${server.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...bearer(key) },
    body: JSON.stringify(body),
  })

async function connect(token: string | undefined): Promise<Socket | string> {
  const options = { path: '/live', transports: ['websocket'], reconnection: false, forceNew: true, auth: { token } }
  const socket = io(server.url, options)
  sockets.push(socket)
  return new Promise((resolve) => {
    socket.on('connect', () => resolve(socket))
    socket.on('connect_error', (error) => resolve((error as Error & { data?: { code: string } }).data?.code ?? 'none'))
  })
}

const emit = (socket: Socket, event: string, message: unknown) => socket.timeout(20_000).emitWithAck(event, message)

describe('which key opens which door', () => {
  const names = Object.keys(CREDENTIALS)
  it.each(names)('events and Segment’s paths are written with %s only if it is a key', async (name: Credential) => {
    const key = CREDENTIALS[name]
    const expected = WRITERS.includes(name) ? [202, 200] : name === 'nothing' ? [401, 401] : [403, 403]
    const event = { name: 'matrix', userId: 'm', timestamp: Date.now() - 3_600_000 * 3 }
    const native = await post('/v1/events', key, { events: [event] })
    const segment = await post('/v1/track', key, { event: 'matrix', userId: 'm', timestamp: new Date(0).toISOString() })
    expect(native.status).toBe(expected[0])
    // Too old for a public key; what counts is whether the key is taken.
    if (WRITERS.includes(name)) expect([200, 400]).toContain(segment.status)
    else expect(segment.status).toBe(expected[1])
  })

  it.each(names)('questions of every kind are answered to %s only if it is a valid token', async (name: Credential) => {
    for (const [kind, query] of Object.entries(KINDS)) {
      const { status, body } = await postQuery(server.url, CREDENTIALS[name], query)
      const isAllowed = kind !== 'overview' && kind !== 'recent'
      const expected = READERS.includes(name) ? 200 : name === 'a token with metrics' ? (isAllowed ? 200 : 403) : 401
      expect({ kind, status }).toEqual({ kind, status: expected })
      if (expected !== 200) expect(body.error?.message).toBeTruthy()
      if (name.startsWith('another')) expect(JSON.stringify(body)).not.toMatch(/acme|globex/)
    }
  })

  it.each(names)(
    'live questions of every kind are answered to %s only if it is a valid token',
    async (name: Credential) => {
      const socket = await connect(CREDENTIALS[name])
      if (typeof socket === 'string') {
        expect(READERS).not.toContain(name)
        expect(['missing_token', 'invalid_token', 'expired_token']).toContain(socket)
        return
      }
      expect([...READERS, 'a token with metrics']).toContain(name)
      for (const [kind, query] of Object.entries(KINDS)) {
        const answer = await emit(socket, 'subscribe', query)
        const isRefused = name === 'a token with metrics' && (kind === 'overview' || kind === 'recent')
        expect(answer.error?.code, kind).toBe(isRefused ? 'metric_not_allowed' : undefined)
        if (name.startsWith('another')) expect(JSON.stringify(answer)).not.toMatch(/acme|globex/)
      }
    },
  )

  it.each(names)('refused events are told to %s only if it may see all of the project', async (name: Credential) => {
    const { status, body } = await request(`${server.url}/v1/rejected`, { headers: bearer(CREDENTIALS[name]) })
    const seesAll = ['the secret key', 'a token', "another project's secret key", "another project's token"]
    const isKnown = WRITERS.includes(name) || name === 'a token with filters' || name === 'a token with metrics'
    expect(status).toBe(seesAll.includes(name) ? 200 : isKnown ? 403 : 401)
    if (name.startsWith('another')) expect(JSON.stringify(body)).not.toMatch(/acme|globex/)
  })

  it.each(names)(
    'the project is told to %s if it reads, and its write key only if it may see all of it',
    async (name: Credential) => {
      const { status, body } = await request(`${server.url}/v1/project`, { headers: bearer(CREDENTIALS[name]) })
      const seesAll = ['the secret key', 'a token', "another project's secret key", "another project's token"]
      const reads = [...seesAll, 'a token with filters', 'a token with metrics'].includes(name)
      expect(status).toBe(reads ? 200 : WRITERS.includes(name) ? 403 : 401)
      const own = name.startsWith('another') ? OTHER : SHOP
      const { id, writeKey } = own
      if (status === 200) {
        const shown = { id, name: id, timezone: 'UTC', currency: expect.any(String) }
        expect(body).toEqual(seesAll.includes(name) ? { ...shown, writeKey } : shown)
      }
      for (const secret of [own.secretKey, own.readSecret]) expect(JSON.stringify(body)).not.toContain(secret)
    },
  )

  it.each(names)('the owner’s commands are not for %s', async (name: Credential) => {
    expect([401, 403]).toContain((await post('/v1/admin/audit', CREDENTIALS[name], {})).status)
  })
})

const DIMENSIONS = [
  ...['country', 'device', 'category', 'name', 'tenantId', 'browser', 'os', 'path', 'referrer_host'],
  ...['utm_source', 'utm_medium', 'utm_campaign', 'properties.secret', 'properties.tenantId'],
]

/** Attempts to see the other tenant's. */
const ATTEMPTS: object[] = [
  {},
  { filters: { tenantId: ['globex'] } },
  { filters: { tenantId: ['globex', 'acme'] } },
  { filters: { 'properties.tenantId': ['globex', 'acme'] } },
  { filters: { country: ['FR', 'DE'] } },
  { bots: true },
]

/** What a total or a series says. */
async function figures(token: string, query: object): Promise<{ v?: number; previous?: object; series?: Series[] }> {
  return (await ask(server.url, token, query)) as object
}

describe('a token’s filters', () => {
  const expectOwn = (answer: unknown) => expect(JSON.stringify(answer)).not.toContain('globex')

  it('are forced on breakdowns and broken-down series by every dimension', async () => {
    for (const breakdown of DIMENSIONS) {
      for (const attempt of ATTEMPTS) {
        const query = { breakdown, range: { last: '2h' }, anomalies: true, ...attempt }
        expectOwn(await ask(server.url, acme, { ...query, kind: 'breakdown', limit: 1000 }))
        expectOwn(await ask(server.url, acme, { ...query, kind: 'series', granularity: 'hour' }))
      }
    }
  })

  it('are forced on every metric: the figures are those of its own events', async () => {
    const all = readTokenOf(SHOP)
    for (const metric of METRICS) {
      for (const query of [
        { kind: 'total', metric, range: { last: '2h' } },
        { kind: 'series', metric, granularity: 'hour', range: { last: '2h' } },
        {
          kind: 'series',
          metric,
          granularity: 'hour',
          range: { last: '2h' },
          filters: { browser: ['acme', 'globex'] },
        },
      ]) {
        const named = { ...query, filters: { ...query.filters, tenantId: ['acme'] } }
        const [forced, chosen, foreign] = await Promise.all([
          figures(acme, query),
          figures(all, named),
          figures(acme, { ...query, filters: { tenantId: ['globex'] } }),
        ])
        expect(forced.v).toBe(chosen.v)
        expect(forced.previous).toEqual(chosen.previous)
        expect(forced.series).toEqual(chosen.series)
        expect(foreign.v ?? 0).toBe(0)
        for (const { points } of foreign.series ?? []) expect(points.every(({ v }) => v === 0)).toBe(true)
      }
    }
  })

  it('are forced on recent events, funnels and tiles', async () => {
    for (const attempt of ATTEMPTS) {
      const recent = await ask<never>(server.url, acme, {
        kind: 'recent',
        limit: 100,
        range: { last: '2h' },
        ...attempt,
      })
      expectOwn(recent)
      const steps = [{ name: 'globex-only' }, { name: 'globex-only', filters: { tenantId: ['globex'] } }]
      const funnel = { kind: 'funnel', range: { last: '2h' }, breakdown: 'country', ...attempt }
      const foreign = await ask<FunnelAnswer>(server.url, acme, { ...funnel, steps })
      expect(foreign.steps.map(({ users }) => users)).toEqual([0, 0])
      expect(foreign.rows).toEqual([])
      const own = await ask<FunnelAnswer>(server.url, acme, { ...funnel, steps: KINDS.funnel.steps })
      expectOwn(own)
      expect(own.steps[0]?.users).toBeLessThanOrEqual(7)
      for (const { key } of own.rows ?? []) expect(key).toBe('DE')
    }
    const { tiles } = await ask<OverviewAnswer>(server.url, acme, { kind: 'overview' })
    expect(tiles.revenueLastHour.v).toBeLessThanOrEqual(30)
    expect(tiles.revenueLastHour.v).toBeGreaterThan(0)
  })

  it('are forced on live questions, snapshots and deltas alike', async () => {
    const socket = (await connect(acme)) as Socket
    const heard: unknown[] = []
    socket.on('delta', (delta) => heard.push(delta))
    socket.on('snapshot', (snapshot) => heard.push(snapshot))
    const breakdowns = DIMENSIONS.map((breakdown) => ({ kind: 'breakdown', breakdown, range: { last: '2h' } }))
    for (const query of [...Object.values(KINDS), ...breakdowns]) {
      const answer = await emit(socket, 'subscribe', { ...query, filters: { tenantId: ['acme', 'globex'] } })
      expect(answer.snapshot).toBeDefined()
      expectOwn(answer)
    }
    const watcher = (await connect(readTokenOf(SHOP))) as Socket
    const { id } = await emit(watcher, 'subscribe', { kind: 'breakdown', breakdown: 'name', range: { last: '2h' } })
    expect((await emit(socket, 'resume', { id, revision: 0 })).error.code).toBe('not_found')
    let others = 0
    watcher.on('delta', () => others++)
    await sendEvents(server.url, SHOP.secretKey, [...eventsOf('globex', 5), ...eventsOf('acme', 5)] as never)
    await until(true, () => others > 0 && heard.length > 3)
    for (const one of heard) expectOwn(one)
  })
})
