import { existsSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { fileURLToPath } from 'node:url'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sendEvents } from './servers/requests.ts'
import { startServer, type TestServer } from './servers/start-server.ts'

const CHROMIUM = '/usr/bin/chromium'
const RESULTS = fileURLToPath(new URL('../test-results', import.meta.url))
const SDK = fileURLToPath(new URL('../packages/sdk-browser/dist/index.js', import.meta.url))
const MINUTE = 60_000
/** From an event in one page to its number and its place in the chart of another. */
const PROMISED_MS = 2000

function hasChromium(): boolean {
  if (existsSync(CHROMIUM)) return true
  process.stderr.write(`Skipped: ${CHROMIUM} is missing (Debian: apt-get install chromium).\n`)
  return false
}

let server: TestServer
let shop: Server
let shopUrl: string
let browser: Browser
let writeKey: string
let dashboardUrl: string

describe.skipIf(!hasChromium())('the page that the command line prints', () => {
  beforeAll(async () => {
    server = await startServer()
    const [project] = await server.ownProjects()
    writeKey = project?.writeKey as string
    dashboardUrl = /http:\S+#token=\S+/.exec(server.printed().stdout)?.[0] as string
    await sendEvents(server.url, project?.secretKey as string, history())
    const listening = await serveShop()
    shop = listening.server
    shopUrl = listening.url
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] })
  })
  afterAll(async () => {
    await browser?.close()
    shop?.close()
    await server?.remove()
  })

  it('changes number and chart within two seconds of an event from another page', async () => {
    const dashboard = await open(dashboardUrl)
    const views = tile(dashboard.page, 'Page views')
    await views.waitFor()
    const chart = dashboard.page.locator('.nowcast-card svg path').first()
    await chart.waitFor()
    const visitor = await open(`${shopUrl}/sdk`)
    let quickestMs = Number.POSITIVE_INFINITY
    // A busy machine may take longer than the promise, but not always.
    for (let turn = 0; turn < 5 && quickestMs >= PROMISED_MS; turn++) {
      const pagesBefore = await numberOf(dashboard.page, 'Page views')
      const pathBefore = await pathsOf(dashboard.page)
      const sentAt = Date.now()
      await visitor.page.evaluate('window.buy(25)')
      const poll = { timeout: 30_000, interval: 20 }
      await expect.poll(async () => (await numberOf(dashboard.page, 'Page views')) > pagesBefore, poll).toBe(true)
      const numberMs = Date.now() - sentAt
      await expect.poll(async () => (await pathsOf(dashboard.page)) !== pathBefore, poll).toBe(true)
      const chartMs = Date.now() - sentAt
      process.stderr.write(`the number changed after ${numberMs} ms, the chart after ${chartMs} ms\n`)
      quickestMs = Math.min(quickestMs, chartMs)
    }
    expect(quickestMs).toBeLessThan(PROMISED_MS)

    const tagged = await open(`${shopUrl}/tag`)
    const before = await numberOf(dashboard.page, 'Page views')
    await tagged.page.evaluate("window.nowcast.page(); window.nowcast.track('purchase', { revenue: '5.00' })")
    await expect
      .poll(async () => (await numberOf(dashboard.page, 'Page views')) > before, { timeout: 30_000 })
      .toBe(true)

    await dashboard.screenshot('page-light')
    expect([...dashboard.complaints, ...visitor.complaints, ...tagged.complaints]).toEqual([])
  })

  it.each<[string, BrowserContextOptions]>([
    ['dark', { colorScheme: 'dark' }],
    ['phone', { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 }],
    ['phone-dark', { viewport: { width: 390, height: 844 }, colorScheme: 'dark' }],
  ])('is drawn without a complaint: %s', async (name, options) => {
    const { page, complaints, screenshot } = await open(dashboardUrl, options)
    await page.locator('.nowcast-card svg path').first().waitFor()
    await tile(page, 'Page views').waitFor()
    await page.waitForTimeout(1200)
    await screenshot(`page-${name}`)
    const { scrollWidth, clientWidth } = await page.evaluate<{ scrollWidth: number; clientWidth: number }>(
      '({ scrollWidth: document.documentElement.scrollWidth, clientWidth: document.documentElement.clientWidth })',
    )
    expect(scrollWidth).toBeLessThanOrEqual(clientWidth)
    expect(complaints).toEqual([])
  })

  it('shows everything still after a kill, in the open page and in a new one', async () => {
    const { page } = await open(dashboardUrl)
    await tile(page, 'Page views').waitFor()
    const before = await numberOf(page, 'Page views')
    expect(before).toBeGreaterThan(200)
    await server.kill()
    await server.start()
    const again = await open(dashboardUrl)
    await expect.poll(() => numberOf(again.page, 'Page views'), { timeout: 10_000 }).toBe(before)
    const visitor = await open(`${shopUrl}/sdk`)
    await visitor.page.evaluate('window.buy(3)')
    for (const open of [again.page, page])
      await expect.poll(() => numberOf(open, 'Page views'), { timeout: 15_000 }).toBeGreaterThan(before)
    expect([...again.complaints, ...visitor.complaints]).toEqual([])
  })
})

/** Traffic of the last hours, so that charts have a shape. */
function history() {
  const now = Date.now()
  return Array.from({ length: 900 }, (_, i) => {
    const spread = (i * i * 13) % (3 * 60 * MINUTE)
    // None leaves the last hour while the tests run.
    const ago = spread > 50 * MINUTE ? spread + 10 * MINUTE : spread
    const name = ['page_view', 'page_view', 'page_view', 'click', 'purchase', 'error'][i % 6] as string
    const country = ['US', 'DE', 'FR', 'GB', 'JP'][i % 5]
    const device = (['desktop', 'mobile', 'tablet'] as const)[i % 3]
    const event = { name, userId: `u${i % 70}`, timestamp: now - 10_000 - ago, category: ['shoes', 'hats'][i % 2] }
    return { ...event, context: { country, device }, ...(name === 'purchase' && { revenue: '19.99' }) }
  })
}

/** A shop on another origin: one page with the built SDK as a module, one with the script tag. */
async function serveShop(): Promise<{ server: Server; url: string }> {
  const pages: Record<string, string> = {
    '/sdk': `<!doctype html><title>Shop</title><link rel="icon" href="data:,"><script type="module">
      import { createClient } from '/nowcast-sdk.js'
      const nowcast = createClient({ key: '${writeKey}', url: '${server.url}' })
      window.buy = (count) => {
        for (let i = 0; i < count; i++) {
          nowcast.page({ category: 'shoes' })
          nowcast.track('purchase', { revenue: '19.99', category: 'shoes', sku: 'A-' + i })
        }
      }
    </script>`,
    '/tag': `<!doctype html><title>Shop</title><link rel="icon" href="data:,">
      <script src="${server.url}/nowcast.js" data-key="${writeKey}"></script>`,
  }
  const listening = createServer(async (request, response) => {
    const isSdk = request.url === '/nowcast-sdk.js'
    response.setHeader('content-type', isSdk ? 'text/javascript' : 'text/html')
    response.end(isSdk ? await readFile(SDK) : pages[request.url ?? ''])
  })
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
  return { server: listening, url: `http://localhost:${(listening.address() as { port: number }).port}` }
}

async function open(url: string, options: BrowserContextOptions = {}) {
  const context = await browser.newContext({
    locale: 'en-US',
    viewport: { width: 1320, height: 900 },
    colorScheme: 'light',
    // A bot's events are left out of every figure, and headless browsers are bots.
    userAgent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36',
    ...options,
  })
  const page = await context.newPage()
  page.setDefaultTimeout(8000)
  const complaints: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  await page.goto(url)
  return {
    page,
    complaints,
    async screenshot(name: string) {
      await mkdir(RESULTS, { recursive: true })
      await page.screenshot({ path: `${RESULTS}/${name}.png`, fullPage: true })
    },
  }
}

function tile(page: Page, label: string) {
  const byLabel = page.locator('.nowcast-tile').filter({ hasText: label })
  return byLabel.locator('.nowcast-tile-value:not(:has(.nowcast-skeleton))').first()
}

async function numberOf(page: Page, label: string): Promise<number> {
  const text = (await tile(page, label).getAttribute('title')) ?? ''
  return Number(text.replace(/[^\d.]/g, ''))
}

async function pathsOf(page: Page): Promise<string> {
  return page.evaluate<string>(
    "[...document.querySelectorAll('.nowcast-card svg path')].map((path) => path.getAttribute('d')).join()",
  )
}
