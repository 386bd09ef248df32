import { existsSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { BreakdownAnswer, RecentAnswer, TotalAnswer } from '@nowcast/protocol'
import { Analytics } from '@segment/analytics-node'
import { build } from 'esbuild'
import { type Browser, chromium } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { knownProject, readTokenOf } from './servers/known-projects.ts'
import { startLosingProxy } from './servers/losing-proxy.ts'
import { ask } from './servers/requests.ts'
import { startServer, type TestServer } from './servers/start-server.ts'
import { until } from './servers/until.ts'

const CHROMIUM = '/usr/bin/chromium'
const hasChromium = existsSync(CHROMIUM)
if (!hasChromium) process.stderr.write(`Skipped: ${CHROMIUM} is missing (Debian: apt-get install chromium).\n`)

const NODE = knownProject('node', {})
const PAGE = knownProject('page', {})

let server: TestServer
beforeAll(async () => {
  server = await startServer({ config: { projects: [NODE, PAGE] } })
})
afterAll(() => server?.remove())

async function total(project: typeof NODE, metric: string, filters = {}): Promise<TotalAnswer> {
  const query = { kind: 'total', metric, range: { last: '1h' }, bots: true, filters }
  return ask<TotalAnswer>(server.url, readTokenOf(project), query)
}
const count = async (project: typeof NODE, filters = {}) => (await total(project, 'events', filters)).v
const newest = async (project: typeof NODE, filters = {}) =>
  (
    await ask<RecentAnswer>(server.url, readTokenOf(project), {
      kind: 'recent',
      range: { last: '1h' },
      filters,
      bots: true,
    })
  ).events

describe('@segment/analytics-node', () => {
  it('delivers all its calls, each meaning what it means natively', async () => {
    const analytics = new Analytics({ writeKey: NODE.secretKey, host: server.url, flushAt: 5, maxRetries: 2 })
    const failures: unknown[] = []
    analytics.on('error', (error) => failures.push(error))
    const context = { ip: '2.125.160.216', page: { url: 'https://shop.example/cart?token=1', title: 'Cart' } }
    analytics.identify({ userId: 'u1', traits: { plan: 'pro' } })
    analytics.group({ userId: 'u1', groupId: 'g1' })
    analytics.alias({ userId: 'u1', previousId: 'a1' })
    analytics.page({ userId: 'u1', name: 'Home', properties: { url: 'https://shop.example/?utm_source=mail&s=1' } })
    analytics.screen({ anonymousId: 'a2', name: 'Cart' })
    analytics.track({ userId: 'u1', event: 'Product Clicked', properties: { category: 'shoes', price: 5 }, context })
    analytics.track({
      userId: 'u1',
      event: 'Order Completed',
      properties: { order_id: 'o1', revenue: 0.1 + 0.2, currency: 'usd', products: [{ category: 'shoes' }] },
    })
    analytics.track({ userId: 'u1', event: 'Order Refunded', properties: { order_id: 'o1', total: 0.1 } })
    await analytics.closeAndFlush()
    expect(failures).toEqual([])

    await until(5, () => count(NODE))
    expect((await total(NODE, 'page_views')).v).toBe(2)
    expect((await total(NODE, 'purchases', { category: ['shoes'] })).v).toBe(1)
    expect((await total(NODE, 'revenue')).exact).toBe('0.2000')
    expect((await total(NODE, 'users')).v).toBe(2)
    expect(await count(NODE, { name: ['Order Refunded'] })).toBe(1)
    await until(1, async () => (await newest(NODE, { name: ['Product Clicked'] })).length)
    const [clicked] = await newest(NODE, { name: ['Product Clicked'] })
    expect(clicked).toMatchObject({ country: 'GB', url: 'https://shop.example/cart', title: 'Cart', category: 'shoes' })
  })

  it('counts once what it sends again: an answer lost, a 503, a 429', async () => {
    const proxy = await startLosingProxy(server.url)
    onTestFinished(() => proxy.close())
    const before = await count(NODE)
    const analytics = new Analytics({ writeKey: NODE.secretKey, host: proxy.url, flushAt: 1, maxRetries: 5 })
    const trackOne = () =>
      new Promise((resolve) => analytics.track({ userId: 'u3', event: 'again', properties: { revenue: 1 } }, resolve))
    proxy.loseAnswers(2)
    await trackOne()
    proxy.answerWith(503, 2, { 'retry-after': '1' })
    await trackOne()
    proxy.answerWith(429, 1, { 'retry-after': '1' })
    await trackOne()
    await analytics.closeAndFlush()
    expect(proxy.log.filter((line) => line === 'POST /v1/batch 200')).toHaveLength(5)
    await until(before + 3, () => count(NODE))
    await until(3, async () => (await newest(NODE, { name: ['again'] })).length)
    expect(await server.run('audit')).toMatchObject({ code: 0 })
  })

  it('is a server with either key, and never a bot', async () => {
    for (const writeKey of [NODE.writeKey, NODE.secretKey]) {
      const analytics = new Analytics({ writeKey, host: server.url })
      analytics.track({ userId: 'u1', event: 'job done' })
      analytics.track({ userId: 'u1', event: 'job done', context: { os: { name: 'Android', version: '14' } } })
      await analytics.closeAndFlush()
    }
    const query = { kind: 'breakdown', metric: 'events', breakdown: 'device', filters: { name: ['job done'] } }
    const rows = async () => (await ask<BreakdownAnswer>(server.url, readTokenOf(NODE), query)).rows
    await until('mobile 2,server 2', async () =>
      (await rows())
        .map(({ key, v }) => `${key} ${v}`)
        .sort()
        .join(),
    )
  })

  it('drops at once what can never succeed, and sends a batch with one bad event once', async () => {
    const proxy = await startLosingProxy(server.url)
    onTestFinished(() => proxy.close())
    const failed: unknown[] = []
    const sendAll = async (writeKey: string, ...events: string[]) => {
      const analytics = new Analytics({ writeKey, host: proxy.url, flushAt: events.length, maxRetries: 5 })
      analytics.on('error', ({ reason }) => failed.push(String(reason)))
      for (const event of events) analytics.track({ userId: 'u4', event })
      await analytics.closeAndFlush()
    }
    await sendAll(NODE.secretKey, 'fine', 'x'.repeat(65))
    expect([proxy.log, failed]).toEqual([['POST /v1/batch 200'], []])
    await sendAll(NODE.secretKey, 'x'.repeat(65))
    expect(proxy.log.slice(1)).toEqual(['POST /v1/batch 400'])
    expect(failed.join()).toContain('[400]')
    await sendAll('nc_pub_of_nobody_at_all', 'fine')
    expect(proxy.log.slice(2)).toEqual(['POST /v1/batch 403'])
  })
})

describe.skipIf(!hasChromium)('@segment/analytics-next in Chromium', () => {
  let browser: Browser
  let site: Server
  let siteUrl: string
  beforeAll(async () => {
    const bundle = await build({
      entryPoints: [fileURLToPath(new URL('./pages/segment-page.ts', import.meta.url))],
      ...{ bundle: true, write: false, format: 'iife', define: { 'process.env.NODE_ENV': '"production"' } },
    })
    const script = bundle.outputFiles[0]?.text as string
    site = createServer((request, response) => {
      const isScript = request.url === '/page.js'
      response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
      response.end(isScript ? script : '<!doctype html><title>Shop</title><script src="/page.js"></script>')
    })
    await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve))
    siteUrl = `http://127.0.0.1:${(site.address() as AddressInfo).port}`
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] })
  })
  afterAll(async () => {
    await browser?.close()
    site?.close()
  })

  async function openPage(url: string, cdnUrl: string, options = {}) {
    const context = await browser.newContext({ locale: 'en-US' })
    onTestFinished(() => context.close())
    const page = await context.newPage()
    const errors: string[] = []
    page.on('pageerror', ({ message }) => errors.push(message))
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()))
    await page.goto(url)
    await page.evaluate(
      `load(${JSON.stringify({ writeKey: PAGE.writeKey, cdnURL: cdnUrl })}, ${JSON.stringify(options)})`,
    )
    return { page, errors }
  }

  it('finds its settings, and delivers views, clicks and orders from a page', async () => {
    const { page, errors } = await openPage(`${siteUrl}/cart?utm_source=mail&token=secret#x`, server.url)
    await page.evaluate(`(async () => {
      await analytics.page('Cart')
      await analytics.identify('u1', { plan: 'pro' })
      await analytics.group('g1', { name: 'G' })
      await analytics.track('Product Clicked', { category: 'shoes', price: 5 })
      await analytics.track('Order Completed', { order_id: 'o1', total: '30.50', currency: 'USD' })
    })()`)
    await until(3, () => count(PAGE))
    expect((await total(PAGE, 'revenue')).exact).toBe('30.5000')
    await until(1, async () => (await total(PAGE, 'page_views', { utm_source: ['mail'] })).v)
    await until(1, async () => (await newest(PAGE, { name: ['page_view'] })).length)
    const [view] = await newest(PAGE, { name: ['page_view'] })
    expect(view).toMatchObject({ url: `${siteUrl}/cart?utm_source=mail`, title: 'Shop' })
    expect(view?.properties).toEqual({ name: 'Cart' })
    expect(JSON.stringify(await newest(PAGE))).not.toContain('secret')
    expect(errors).toEqual([])
  })

  it('counts once what it sends again, in batches too', async () => {
    const proxy = await startLosingProxy(server.url)
    onTestFinished(() => proxy.close())
    const before = await count(PAGE)
    const { page } = await openPage(siteUrl, proxy.url)
    await page.evaluate(`analytics.ready()`)
    proxy.loseAnswers(1)
    await page.evaluate(`analytics.track('again')`)
    await until(before + 1, () => count(PAGE))
    await until(true, () => proxy.log.filter((line) => line === 'POST /v1/t 200').length >= 2, 60_000)
    proxy.answerWith(503, 1)
    await page.evaluate(`analytics.track('again')`)
    await until(before + 2, () => count(PAGE), 60_000)

    const deliveryStrategy = { strategy: 'batching', config: { size: 3, timeout: 100 } }
    const batching = await openPage(siteUrl, proxy.url, { integrations: { 'Segment.io': { deliveryStrategy } } })
    await batching.page.evaluate(`analytics.ready()`)
    proxy.loseAnswers(1)
    await batching.page.evaluate(`for (const name of ['again', 'again', 'again']) analytics.track(name)`)
    await until(true, () => proxy.log.filter((line) => line === 'POST /v1/b 200').length >= 2, 60_000)
    await until(5, async () => (await newest(PAGE, { name: ['again'] })).length)
    expect(await count(PAGE)).toBe(before + 5)
    expect(await server.run('audit')).toMatchObject({ code: 0 })
  })
})
