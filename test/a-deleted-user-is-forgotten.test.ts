import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { EventInput, RecentAnswer, TotalAnswer } from '@nowcast/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { knownProject, readTokenOf } from './servers/known-projects.ts'
import { ask, sendEvents } from './servers/requests.ts'
import { startServer, type TestServer } from './servers/start-server.ts'
import { until } from './servers/until.ts'

const SHOP = knownProject('shop', {})
const BLOG = knownProject('blog', {})
const HOUR = 3_600_000
const METRICS = ['events', 'users', 'sessions', 'purchases', 'revenue', 'conversion_rate'] as const
const SECRETS = [
  'jane@example.com',
  'visitor-of-jane',
  'session-of-jane',
  'order-of-jane',
  'Welcome Jane',
  'jane-search',
]

/** Thirty users over three days and two projects; one of them is Jane. */
function history(): EventInput[] {
  return Array.from({ length: 600 }, (_, i): EventInput => {
    const isJane = i % 30 === 7
    return {
      id: isJane ? `order-of-jane-${i}` : `order-${i}`,
      name: i % 5 === 0 ? 'purchase' : 'page_view',
      timestamp: Date.now() - (i % 72) * HOUR,
      userId: isJane ? 'jane@example.com' : `user-${i % 30}`,
      anonymousId: isJane ? 'visitor-of-jane' : `visitor-${i % 30}`,
      sessionId: isJane ? 'session-of-jane' : `session-${i % 30}`,
      url: isJane ? 'https://shop.example/jane-search' : 'https://shop.example/',
      referrer: isJane ? 'https://mail.example/jane-search' : 'https://mail.example/',
      title: isJane ? 'Welcome Jane' : 'Welcome',
      category: 'shoes',
      context: { country: 'DE' },
      properties: { search: isJane ? 'jane-search' : 'shoes' },
      ...(i % 5 === 0 && { revenue: '1.25' }),
    }
  })
}

let server: TestServer
beforeAll(async () => {
  server = await startServer({ config: { projects: [SHOP, BLOG] } })
  await sendEvents(server.url, SHOP.secretKey, history())
  await sendEvents(server.url, BLOG.secretKey, history())
  for (const project of [SHOP, BLOG]) await until(600, async () => (await figures(project, '4d')).events as number)
})
afterAll(() => server?.remove())

async function figures(project: typeof SHOP, last: string): Promise<Record<string, number | string>> {
  const answers = METRICS.map(async (metric) => {
    const query = { kind: 'total', metric, range: { last } }
    const answer = await ask<TotalAnswer>(server.url, readTokenOf(project), query)
    return [metric, answer.exact ?? answer.v] as const
  })
  return Object.fromEntries(await Promise.all(answers))
}

describe('export', () => {
  it('writes all events as lines of JSON that can be read again', async () => {
    const { code, stdout, stderr } = await server.run('export', '--project', 'shop')
    expect([code, stderr]).toEqual([0, expect.stringContaining('600 events')])
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, string>)
    expect(events.length).toBe(600)
    const times = events.map(({ timestamp }) => Date.parse(timestamp as string))
    expect(times).toEqual([...times].sort((a, b) => a - b))
    const jane = events.find(({ id }) => id === 'order-of-jane-37')
    expect(jane).toMatchObject({ userId: 'jane@example.com', country: 'DE', name: 'page_view', category: 'shoes' })
    expect(JSON.parse(jane?.properties as string)).toEqual({ search: 'jane-search' })
    const order = events.find(({ id }) => id === 'order-5')
    expect(Number(order?.revenue)).toBe(1.25)
    expect(order).toMatchObject({ revenueInProjectCurrency: '1.2500', currency: 'USD' })
  })
  it('takes a range, filters and formats, and a file appears when it is whole', async () => {
    const from = new Date(Date.now() - 23.5 * HOUR).toISOString()
    const csv = join(server.folder, 'orders.csv')
    const flags = [
      '--format',
      'csv',
      '--filter',
      'name=purchase',
      '--filter',
      'country=DE',
      '--from',
      from,
      '--out',
      csv,
    ]
    const { code, stdout } = await server.run('export', '--project', 'shop', ...flags)
    expect([code, stdout]).toEqual([0, ''])
    const lines = readFileSync(csv, 'utf8').trimEnd().split('\n')
    expect(lines[0]).toContain('"id","name","timestamp"')
    const wanted = history().filter(({ name }, i) => name === 'purchase' && i % 72 <= 23)
    expect(lines.length - 1).toBe(wanted.length)
    expect((await server.run('export', '--format', 'parquet', '--out', join(server.folder, 'all.parquet'))).code).toBe(
      0,
    )
    const parquet = readFileSync(join(server.folder, 'all.parquet'))
    expect([parquet.toString('latin1', 0, 4), parquet.toString('latin1', parquet.length - 4)]).toEqual(['PAR1', 'PAR1'])
    expect(readdirSync(server.folder).some((name) => name.endsWith('.part'))).toBe(false)
  })
  it('says what it cannot do', async () => {
    const message = async (...flags: string[]) => {
      const { code, stderr } = await server.run('export', ...flags)
      expect(code).toBe(1)
      return stderr
    }
    expect(await message('--filter', 'planet=Mars')).toContain('planet')
    expect(await message('--filter', 'planet')).toContain('country=US')
    expect(await message('--from', 'yesterday')).toContain('ISO 8601')
    expect(await message('--project', 'nobody')).toContain('nobody')
    expect(await message('--from', '2026-01-02', '--to', '2026-01-01')).toContain('from')
  })
  it('is for the owner of the data directory only', async () => {
    for (const path of ['export', 'delete-user', 'audit']) {
      const url = `${server.url}/v1/admin/${path}`
      const headers = { authorization: `Bearer ${SHOP.secretKey}` }
      expect((await fetch(url, { method: 'POST', headers, body: '{}' })).status).toBe(403)
    }
  })
})

describe('delete-user', () => {
  it('leaves no trace of the user in the archive, and every count as it was', async () => {
    const before = { shop: await figures(SHOP, '4d'), hour: await figures(SHOP, '1h'), blog: await figures(BLOG, '4d') }
    const { code, stdout } = await server.run('delete-user', 'jane@example.com', '--project', 'shop')
    expect([code, stdout]).toEqual([0, expect.stringContaining('20 events name nobody any more')])
    expect(stdout).toContain('visitor-of-jane')

    const after = { shop: await figures(SHOP, '4d'), hour: await figures(SHOP, '1h'), blog: await figures(BLOG, '4d') }
    expect(after).toEqual(before)
    const exported = (await server.run('export', '--project', 'shop')).stdout
    expect(exported.trimEnd().split('\n').length).toBe(600)
    for (const secret of SECRETS) expect(exported).not.toContain(secret)
    const ids = exported
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).id as string)
    expect(new Set(ids).size).toBe(600)
    const recent = await ask<RecentAnswer>(server.url, readTokenOf(SHOP), {
      kind: 'recent',
      range: { last: '4d' },
      limit: 100,
    })
    expect(JSON.stringify(recent)).not.toContain('jane')
    expect(await server.run('audit')).toMatchObject({ code: 0 })
  })
  it('changes no other project, and nothing the second time', async () => {
    const blog = (await server.run('export', '--project', 'blog')).stdout
    expect(blog.split('jane@example.com').length - 1).toBe(20)
    const again = await server.run('delete-user', 'jane@example.com', '--project', 'shop')
    expect([again.code, again.stdout]).toEqual([0, expect.stringContaining('no stored event')])
  })
  it('also wipes what was accepted just before, by anonymous id too', async () => {
    await sendEvents(server.url, SHOP.secretKey, [
      { name: 'click', anonymousId: 'just-now', properties: { a: 'just-now' } },
    ])
    const { stdout } = await server.run('delete-user', 'just-now', '--project', 'shop')
    expect(stdout).toContain('1 events name nobody')
    expect((await server.run('export', '--project', 'shop')).stdout).not.toContain('just-now')
  })
  it('ends at the next start when the server is killed on the way', async () => {
    await sendEvents(server.url, SHOP.secretKey, [{ name: 'click', userId: 'killed-on-the-way' }])
    await until(true, async () =>
      (await server.run('export', '--project', 'shop')).stdout.includes('killed-on-the-way'),
    )
    const before = rewritings().length
    const deletion = server.run('delete-user', 'killed-on-the-way', '--project', 'shop')
    await until(true, () => rewritings().length > before)
    await server.kill()
    await deletion
    await server.start()
    await until(false, async () =>
      (await server.run('export', '--project', 'shop')).stdout.includes('killed-on-the-way'),
    )
    expect(await server.run('audit')).toMatchObject({ code: 0 })
  })
  it('names nobody in the engine’s own files but the parts it has replaced', () => {
    const mutations = rewritings()
    expect(mutations.length).toBeGreaterThan(0)
    for (const file of mutations) expect(readFileSync(file, 'utf8')).not.toContain('jane')
  })
})

/** The engine's own notes of what it rewrites, or has rewritten: `store/<prefix>/<table>/mutation_<number>.txt`. */
function rewritings(): string[] {
  const inside = (folder: string) => readdirSync(folder).map((name) => join(folder, name))
  return inside(join(server.dataDir, 'clickhouse', 'store'))
    .flatMap(inside)
    .flatMap(inside)
    .filter((path) => /^mutation_\d+\.txt$/.test(basename(path)))
}
