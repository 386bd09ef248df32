import { readFile } from 'node:fs/promises'
import type { TotalAnswer } from '@nowcast/protocol'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { describeInChromium } from '../packages/sdk-browser/test/chromium.ts'
import { createReadToken } from '../packages/server/src/api/read-token.ts'
import { ask, request } from './servers/requests.ts'
import { type RunningExample, startExample } from './servers/start-example.ts'

const SHOWN = { timeout: 30_000, interval: 50 }
const PURCHASES = { kind: 'total', metric: 'purchases', range: { last: '24h' } }

describeInChromium('the examples', (browser) => {
  describe('shop', () => {
    const { example, open } = inRunningExample('shop', browser)

    it('shows the seller of shoes each pair sold, and no hat', async () => {
      const seller = await open('/seller')
      await expect.poll(() => figure(seller, 'Sold in 24 hours'), SHOWN).toBe(0)
      const shop = await open('/')
      // One sender's events are counted in their order: with the last pair, the hat has been.
      for (const name of ['Running shoes', 'Straw hat', 'Sandals'])
        await shop.getByRole('button', { name: `Buy ${name}` }).click()

      await expect.poll(() => figure(seller, 'Sold in 24 hours'), SHOWN).toBe(2)
      await expect.poll(() => figure(seller, 'Revenue in 24 hours'), SHOWN).toBe(104.4)
      await expect.poll(() => seller.locator('.nowcast-row-name').allTextContents(), SHOWN).toEqual(['shoes'])

      const { id, readSecret } = await firstProject(example())
      const all = await createReadToken({ project: id, readSecret })
      expect(await sold(`${example().url}/analytics`, all)).toBe(3)
    })

    it("answers a seller's own question about hats with nothing", async () => {
      const token = await (await fetch(`${example().url}/seller-token`)).text()
      expect(await sold(`${example().url}/analytics`, token, { category: ['shoes', 'hats'] })).toBe(2)
      expect(await sold(`${example().url}/analytics`, token, { category: ['hats'] })).toBe(0)
    })
  })

  describe('embed-hono', () => {
    const { example, open } = inRunningExample('embed-hono', browser)

    it('gives no token to who is not logged in', async () => {
      for (const path of ['/read-token', '/figures'])
        expect((await request(example().url + path, { redirect: 'manual' })).status).toBe(401)
      const body = new URLSearchParams({ user: 'ada', password: 'gus' })
      const refused = await request(`${example().url}/login`, { method: 'POST', body, redirect: 'manual' })
      expect({ status: refused.status, cookie: refused.headers.get('set-cookie') }).toEqual({
        status: 401,
        cookie: null,
      })
    })

    it('shows each tenant its own figures', async () => {
      const ada = await logIn('ada')
      const gus = await logIn('gus')
      await pay(ada, '120.00')
      await pay(gus, '5.00')
      await pay(ada, '80.50')
      for (const page of [ada, gus]) {
        await page.getByRole('link', { name: 'Our figures' }).click()
        await page.locator('.nowcast-tile').first().waitFor()
        expect(new URL(page.url())).toMatchObject({ pathname: '/analytics/', hash: '' })
      }
      await expect.poll(() => figure(ada, 'Revenue'), SHOWN).toBe(200.5)
      await expect.poll(() => figure(gus, 'Revenue'), SHOWN).toBe(5)
    })

    async function logIn(user: string): Promise<Page> {
      const page = await open('/')
      await page.getByLabel('Name').fill(user)
      await page.getByLabel('Password').fill(user)
      await page.getByRole('button', { name: 'Log in' }).click()
      await page.getByText(`Hello ${user}`).waitFor()
      return page
    }

    async function pay(page: Page, amount: string): Promise<void> {
      await page.getByLabel('Amount').fill(amount)
      const paid = page.waitForResponse((answer) => answer.url().endsWith('/invoices'))
      await page.getByRole('button', { name: 'Mark as paid' }).click()
      expect((await paid).status()).toBe(303)
      await page.getByText('Hello').waitFor()
    }
  })

  describe('node-service', () => {
    const { example, open } = inRunningExample('node-service', browser)

    it('reports orders and errors to the dashboard that it prints', async () => {
      expect(await order({ userId: 'u1', sku: 'S-1', quantity: 2 })).toBe(201)
      expect(await order({ userId: 'u2', sku: 'H-1' })).toBe(500)
      // Mistakes of who orders are no errors of the service.
      expect(await order({ userId: 'u3', sku: 'X-9' })).toBe(404)
      expect(await order({ userId: 'u3', sku: 'S-1', quantity: 0 })).toBe(400)

      const dashboard = await open(/http:\S+#token=\S+/.exec(example().printed())?.[0] as string)
      await expect.poll(() => figure(dashboard, 'Revenue'), SHOWN).toBe(159.8)
      await expect.poll(() => figure(dashboard, 'Error rate'), SHOWN).toBe(50)
    })

    async function order(body: object): Promise<number> {
      const headers = { 'content-type': 'application/json' }
      const { status } = await request(`${example().url}/orders`, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
      })
      return status
    }
  })

  describe('plain-html', () => {
    const { example, open } = inRunningExample('plain-html', browser)

    it('sends by its script tag and shows the number live, in every window', async () => {
      const [buyer, watcher] = [await open('/'), await open('/')]
      const soldIn = (page: Page) => page.locator('#sold').textContent()
      for (const page of [buyer, watcher]) await expect.poll(() => soldIn(page), SHOWN).toBe('0')
      await buyer.waitForFunction('window.nowcast')
      await buyer.getByRole('button').click()
      await buyer.getByRole('button').click()
      for (const page of [buyer, watcher]) await expect.poll(() => soldIn(page), SHOWN).toBe('2')
    })

    it('lets its visitors ask for nothing else', async () => {
      const token = await (await fetch(`${example().url}/read-token`)).text()
      await expect(ask(example().analyticsUrl, token, { ...PURCHASES, metric: 'revenue' })).rejects.toThrow('403')
    })
  })
})

/** Starts an example before the tests of a suite, stops it after them; no page of it may complain in its console. */
function inRunningExample(name: string, browser: () => Browser) {
  let running: RunningExample
  const pages: Page[] = []
  const complaints: string[] = []
  beforeAll(async () => {
    running = await startExample(name)
  })
  afterEach(async () => {
    for (const page of pages.splice(0)) await page.context().close()
    expect(complaints.splice(0)).toEqual([])
  })
  afterAll(() => running?.remove())

  async function open(address: string): Promise<Page> {
    // A bot's events are left out of every figure, and headless browsers are bots.
    const userAgent =
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36'
    const context = await browser().newContext({ locale: 'en-US', userAgent })
    const page = await context.newPage()
    page.on('pageerror', (error) => complaints.push(String(error)))
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
    })
    pages.push(page)
    await page.goto(new URL(address, running.url).href)
    return page
  }
  return { example: () => running, open }
}

/** The exact figure of a tile; NaN until it has one. */
async function figure(page: Page, label: string): Promise<number> {
  const tile = page.locator('.nowcast-tile').filter({ hasText: label })
  const value = tile.locator('.nowcast-tile-value:not(:has(.nowcast-skeleton))').first()
  const text = (await value.count()) === 0 ? null : await value.getAttribute('title')
  return text ? Number(text.replace(/[^\d.]/g, '')) : Number.NaN
}

async function firstProject({ dataDir }: RunningExample): Promise<{ id: string; readSecret: string }> {
  const [project] = JSON.parse(await readFile(`${dataDir}/projects.json`, 'utf8'))
  return project
}

/** How many purchases a token's holder is told of. */
async function sold(url: string, token: string, filters: object = {}): Promise<number> {
  return (await ask<TotalAnswer>(url, token, { ...PURCHASES, filters })).v
}
