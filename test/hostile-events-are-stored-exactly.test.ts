import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EventInput, RecentAnswer, RecentEvent, TotalAnswer } from '@nowcast/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { knownProject, readTokenOf } from './servers/known-projects.ts'
import { ask, postEvents, request, sendEvents } from './servers/requests.ts'
import { startServer, type TestServer } from './servers/start-server.ts'
import { until } from './servers/until.ts'

const SHOP = knownProject('shop', { hotDimensions: ['tenantId'] })
/** Takes the shop's export. */
const COPY = knownProject('copy', { hotDimensions: ['tenantId'] })
const token = readTokenOf(SHOP)
const EVER = { from: 0, to: 7e12 }
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0'

let server: TestServer
let count = 0
beforeAll(async () => {
  server = await startServer({ config: { projects: [SHOP, COPY] }, flags: ['--trust-proxy', '1'] })
})
afterAll(() => server?.remove())

/** Sends one event under a category of its own; returns it as `recent` has it. */
async function stored(event: Partial<EventInput> | string, key = SHOP.secretKey): Promise<RecentEvent> {
  const category = `case ${count++}`
  const body =
    typeof event === 'string'
      ? `{"events":[{"name":"click","userId":"u","category":"${category}",${event.slice(1)}]}`
      : JSON.stringify({ events: [{ name: 'click', userId: 'u', category, ...event }] })
  const headers = { authorization: `Bearer ${key}`, 'user-agent': FIREFOX, 'x-forwarded-for': '2.125.160.216' }
  const answer = await request(`${server.url}/v1/events`, { method: 'POST', body, headers })
  expect(answer).toMatchObject({ status: 202, body: { accepted: 1 } })
  return found({ category: [typeof event === 'string' ? category : (event.category ?? category)] })
}

async function found(filters: Record<string, string[]>): Promise<RecentEvent> {
  let events: RecentEvent[] = []
  await until(1, async () => {
    events = (await ask<RecentAnswer>(server.url, token, { kind: 'recent', range: EVER, filters, bots: true })).events
    return events.length
  })
  return events[0] as RecentEvent
}

async function total(query: object): Promise<TotalAnswer> {
  return ask(server.url, token, { kind: 'total', range: EVER, ...query })
}

const TEXTS = [
  `"double" 'single' \`back\` \\ slash / \\n`,
  '日本語 עברית العربية e\u0301 👩‍👩‍👧‍👦 \ufeff\u202e\u2028\u2029',
  "'; DROP TABLE nowcast.events; --",
  '{x:String} $y %s \\N NULL',
  '<script>alert(1)</script>',
  '__proto__',
  'constructor',
  '(other)',
  ' spaces \u00a0 ',
]

describe.concurrent('texts', () => {
  it.each(TEXTS)('in every field come back as they were: %j', async (text) => {
    const event = {
      id: text.slice(0, 60),
      name: text.slice(0, 60),
      userId: text,
      anonymousId: text,
      title: text,
      category: text,
    }
    const back = await stored({ ...event, properties: { [text]: text, list: [text, { [text]: [text] }] } })
    expect(back).toMatchObject(event)
    expect(back.properties).toEqual({ [text]: text, list: [text, { [text]: [text] }] })
    expect((await total({ filters: { name: [event.name], category: [text] } })).v).toBe(1)
  })
  it('control characters and NUL stand where they may', async () => {
    const text = 'a\u0000b\u0001c\u001f\u007f\r\n\td\u0085'
    const back = await stored({
      userId: text,
      anonymousId: text,
      title: text,
      id: `id ${text}`,
      properties: { [text]: text },
    })
    expect(back).toMatchObject({ userId: text, anonymousId: text, title: text, id: `id ${text}` })
    expect(back.properties).toEqual({ [text]: text })
    // A name is not cut at its NUL.
    const other = { userId: 'a\u0000c', category: back.category }
    await sendEvents(server.url, SHOP.secretKey, [{ name: 'click', ...other }])
    await until(2, async () => (await total({ metric: 'users', filters: { category: [back.category] } })).v)
  })
  it('lone surrogates become U+FFFD', async () => {
    const lone = String.raw`a\ud800b\udc00`
    const back = await stored(`{"title":"${lone}","sessionId":"${lone}","properties":{"${lone}":["${lone}","👍"]}}`)
    expect(back.title).toBe('a\ufffdb\ufffd')
    expect(back.properties).toEqual({ 'a\ufffdb\ufffd': ['a\ufffdb\ufffd', '👍'] })
  })
})

describe.concurrent('properties', () => {
  it.each([
    '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"toString":5,"":""}',
    '{"a.b":1,"a":{"b":2},"null":null,"true":true,"list":[],"object":{}}',
    '{"big":9007199254740991,"small":1e-7,"huge":1.7976931348623157e308,"negative":-0.5,"zero":0}',
    `${'{"deep":'.repeat(16)}1${'}'.repeat(16)}`,
    `{"list":${'['.repeat(15)}1${']'.repeat(15)}}`,
  ])('are kept as they are: %s', async (properties) => {
    const back = await stored(`{"properties":${properties}}`)
    expect(JSON.parse(JSON.stringify(back.properties))).toEqual(JSON.parse(properties))
    expect(JSON.stringify(back.properties)).toBe(JSON.stringify(JSON.parse(properties)))
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })
  it('may have 8 KB and not one byte more', async () => {
    const properties = { long: 'é'.repeat((8192 - '{"long":""}'.length - 1) / 2), x: undefined }
    const bytes = Buffer.byteLength(JSON.stringify(properties))
    expect(bytes).toBe(8191)
    const exact = { long: `${properties.long}1` }
    expect((await stored({ properties: exact })).properties).toEqual(exact)
    const over = { name: 'click', userId: 'u', properties: { long: `${properties.long}12` } }
    const { body } = await postEvents(server.url, SHOP.secretKey, { events: [over] })
    expect(body.rejected).toMatchObject([
      { code: 'invalid_properties', message: expect.stringContaining('8192 bytes') },
    ])
  })
  it('of all types are values of a dimension of their own', async () => {
    for (const [value, key] of [
      [true, 'true'],
      [5, '5'],
      ['__proto__', '__proto__'],
      ['a\nb', 'a b'],
    ] as const) {
      const { category } = await stored({ properties: { tenantId: value } })
      expect((await total({ filters: { tenantId: [key], category: [category] } })).v, key).toBe(1)
    }
    const { category } = await stored({ properties: { tenantId: { nested: 1 } } })
    expect((await total({ filters: { tenantId: ['(none)'], category: [category] } })).v).toBe(1)
  })
})

describe.concurrent('times', () => {
  it.each([
    [0, 0],
    ['1970-01-01', 0],
    ['1970-01-01T00:00:00.001Z', 1],
    ['2001-09-09T03:46:40+02:00', 1e12],
    ['2001-09-09 01:46:40', 1e12],
    [1_234_567_890_123.9, 1_234_567_890_123],
  ])('from the secret key as old as 1970: %s', async (timestamp, t) => {
    const back = await stored({ timestamp })
    expect(back.t).toBe(t)
    const range = { from: Math.floor(t / 60_000) * 60_000, to: Math.floor(t / 60_000) * 60_000 + 60_000 }
    expect((await total({ range, filters: { category: [back.category] } })).v).toBe(1)
  })
  it.each([Date.UTC(2100, 0, 1), '2100-01-01T00:00:00Z', '2199-12-31'])(
    'far in the future are the time of receipt: %s',
    async (timestamp) => {
      const before = Date.now()
      const { t } = await stored({ timestamp })
      expect(t).toBeGreaterThanOrEqual(before)
      expect(t).toBeLessThanOrEqual(Date.now())
    },
  )
  it('up to 5 minutes ahead stand', async () => {
    const timestamp = Date.now() + 4 * 60_000
    expect((await stored({ timestamp })).t).toBe(timestamp)
  })
  it('of a clock that is wrong are corrected by sentAt', async () => {
    const wrong = Date.now() - 3 * 3_600_000
    const event = { name: 'click', userId: 'u', category: 'skewed', timestamp: wrong - 1000 }
    await postEvents(server.url, SHOP.writeKey, { sentAt: wrong, events: [event] })
    const { t } = await found({ category: ['skewed'] })
    expect(Math.abs(t - (Date.now() - 1000))).toBeLessThan(5000)
  })
})

describe.concurrent('money', () => {
  it.each([
    ['19.99', '19.9900'],
    ['-0.0001', '-0.0001'],
    [0.1, '0.1000'],
    ['+5', '5.0000'],
    ['007.5', '7.5000'],
    ['1.50000', '1.5000'],
    [-0, '0.0000'],
    ['1000000000', '1000000000.0000'],
    [-1000000000, '-1000000000.0000'],
    [1e5, '100000.0000'],
  ])('%s is %s', async (revenue, exact) => {
    const { category, revenue: back, currency } = await stored({ revenue })
    expect({ back, currency }).toEqual({ back: exact, currency: 'USD' })
    expect((await total({ metric: 'revenue', filters: { category: [category] } })).exact).toBe(exact)
  })
})

describe('who may say where an event comes from', () => {
  const context = {
    ip: '81.2.69.142',
    userAgent: 'curl/8',
    country: 'SE',
    device: 'tv' as const,
    browser: 'Lynx',
    locale: 'sv',
  }
  it('the secret key: the context, and nothing from the connection', async () => {
    expect(await stored({ context })).toMatchObject({ country: 'SE', device: 'tv' })
    expect(await stored({})).toMatchObject({ country: '(none)', device: 'server' })
    expect(await stored({ context: { country: 'se', userAgent: FIREFOX } })).toMatchObject({
      country: 'SE',
      device: 'desktop',
    })
    expect(await stored({ context: { ip: '2.125.160.216' } })).toMatchObject({ country: 'GB', device: 'server' })
    expect(await stored({ context: { userAgent: 'Googlebot/2.1 (+http://www.google.com/bot.html)' } })).toMatchObject({
      device: 'bot',
    })
  })
  it('the public key: the connection, and not the context', async () => {
    expect(await stored({ context }, SHOP.writeKey)).toMatchObject({ country: 'GB', device: 'desktop' })
    const { category } = await stored({ context }, SHOP.writeKey)
    const rows = { kind: 'total', filters: { browser: ['Lynx'], category: [category] }, range: EVER }
    expect((await ask<TotalAnswer>(server.url, token, rows)).v).toBe(1)
  })
  it("the event's own context over that of its batch", async () => {
    const events = [
      { name: 'click', userId: 'u', category: 'own', context: { country: 'NO' } },
      { name: 'click', userId: 'u', category: 'shared' },
    ]
    await postEvents(server.url, SHOP.secretKey, { context: { country: 'FI', device: 'tablet' }, events })
    expect(await found({ category: ['own'] })).toMatchObject({ country: 'NO', device: 'tablet' })
    expect(await found({ category: ['shared'] })).toMatchObject({ country: 'FI', device: 'tablet' })
  })
})

describe('an id that comes twice', () => {
  const event = (id: string, more: object = {}) => ({
    id,
    name: 'click',
    userId: 'u',
    category: 'twice',
    revenue: '1.5',
    ...more,
  })
  it('is accepted and counts once, in one batch and over several', async () => {
    const batch = [event('a'), event('a'), event('b'), event('a', { properties: { changed: true } })]
    for (let i = 0; i < 3; i++) await sendEvents(server.url, SHOP.secretKey, batch)
    await Promise.all(Array.from({ length: 5 }, () => sendEvents(server.url, SHOP.secretKey, batch)))
    const filters = { category: ['twice'] }
    await until(2, async () => (await total({ filters })).v)
    expect((await total({ metric: 'revenue', filters })).exact).toBe('3.0000')
    await until(2, async () => {
      const recent = { kind: 'recent', range: EVER, filters, limit: 100 }
      return (await ask<RecentAnswer>(server.url, token, recent)).events.length
    })
    // From the archive alone: the hot store knows no paths.
    expect((await total({ filters: { ...filters, path: ['(none)'] } })).v).toBe(2)
  })
})

it('what was exported can be imported: all fields, counts and revenue as they were, however often', async () => {
  const page = 'https://shop.example/a b/ü?utm_source=new%20s+letter%26&utm_campaign=%F0%9F%91%8D&token=secret#x'
  const context = { userAgent: FIREFOX, country: 'DE', locale: 'de' }
  await stored({ url: page, referrer: 'https://user@Mail.example:8/?q=1', sessionId: 's', context })
  await stored({ revenue: '-3.25', currency: 'EUR', properties: { tenantId: 'a\nb' } })
  await stored({ context: { device: 'bot' } })

  const exported = async (project: string) => {
    const out = join(server.folder, `${project}.ndjson`)
    expect(await server.run('export', '--project', project, '--out', out)).toMatchObject({ code: 0 })
    const lines = readFileSync(out, 'utf8').trimEnd().split('\n')
    const rows = lines.map((line): Record<string, string> => ({ ...JSON.parse(line), receivedAt: '' }))
    return { out, rows: rows.sort((a, b) => (`${a.timestamp} ${a.id}` < `${b.timestamp} ${b.id}` ? -1 : 1)) }
  }
  const figures = async (project: typeof SHOP) => {
    const questions = [
      ...['events', 'users', 'sessions', 'revenue'].map((metric) => ({ kind: 'total', metric })),
      ...['name', 'country', 'device', 'category', 'tenantId'].map((breakdown) => ({ kind: 'breakdown', breakdown })),
    ]
    const answers = questions.map(async (question) => {
      const query = { metric: 'events', limit: 100, ...question, range: EVER, bots: true }
      const { asOf: _, tookMs: __, ...answer } = await ask(server.url, readTokenOf(project), query)
      return answer
    })
    return Promise.all(answers)
  }

  const { out, rows } = await exported('shop')
  const count = rows.length
  const args = [out, '--project', 'copy']
  const copied = async () =>
    (
      await ask<TotalAnswer>(server.url, readTokenOf(COPY), {
        kind: 'total',
        range: EVER,
        bots: true,
        metric: 'events',
      })
    ).v
  for (const again of [[], ['--force']]) {
    const { code, stdout } = await server.run('import', ...args, ...again)
    expect([code, stdout]).toEqual([0, expect.stringContaining(`${count} accepted, 0 rejected`)])
    await until(count, copied)
    // An export reads the archive, which may be a moment behind.
    await until(count, async () => (await exported('copy')).rows.length)
    expect((await exported('copy')).rows).toEqual(rows)
    expect(await figures(COPY)).toEqual(await figures(SHOP))
  }
  expect(await server.run('import', ...args)).toMatchObject({ code: 1, stderr: expect.stringContaining('--force') })
})

it('the audit finds no difference, before and after a kill', async () => {
  for (let i = 0; i < 2; i++) {
    const { code, stdout, stderr } = await server.run('audit')
    expect(`${stdout}${stderr}`).toContain('clean')
    expect(code).toBe(0)
    await server.kill()
    await server.start()
  }
})
