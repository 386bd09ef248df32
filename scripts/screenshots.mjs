import './require-node.mjs'
import { mkdir, writeFile } from 'node:fs/promises'
import { chromium } from 'playwright-core'
import { root } from './public-packages.mjs'
import { createDemoShop } from './screenshots/demo-shop.mjs'
import { fromFiftyCountries } from './screenshots/fifty-countries.mjs'
import { startMarketplace } from './screenshots/marketplace.mjs'
import { startPictureServer } from './screenshots/picture-server.mjs'
import { smallPng } from './screenshots/small-png.mjs'

const FOLDER = `${root}/docs/images`
const MINUTE_MS = 60_000
/** Twice as long as the figures that look at the last seconds do. */
const LIVE_MS = 22_000
const STEP_MS = 500
const WIDE = { width: 1280, height: 800 }
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true }

console.log('Filling a day with the traffic of the demo shop…')
const server = await startPictureServer()
const startedAt = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS
const shop = createDemoShop(startedAt)
const pastDay = shop.pastDay()
await server.send('shop', pastDay)
await server.send('world', fromFiftyCountries(pastDay))
for (const id of ['shop', 'world']) await server.settled(id)
const live = goOnLive()
await new Promise((resolve) => setTimeout(resolve, LIVE_MS))

const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] })
await mkdir(FOLDER, { recursive: true })
try {
  await picture('dashboard', { project: 'shop' })
  await picture('dashboard-dark', { project: 'shop', context: { colorScheme: 'dark' } })
  await picture('dashboard-phone', { project: 'shop', context: PHONE, isWhole: false })
  await picture('anomaly', {
    project: 'shop',
    search: '?metric=error_rate&range=3h',
    part: '.nowcast-card:has(.nowcast-series)',
  })
  await picture('funnel', {
    ...{ project: 'shop', part: '.page-funnel' },
    search: funnelOf('page_view', 'product_viewed', 'add_to_cart', 'checkout', 'purchase'),
  })
  await picture('countries', { project: 'world', search: '?metric=page_views' })
  await picture('empty', { project: 'empty', isEmpty: true })
  await sellerPicture()
  await outagePicture()
} finally {
  live.stop()
  await browser.close()
}

function funnelOf(...steps) {
  return `?view=funnel&${steps.map((step) => `step=${step}`).join('&')}`
}

/** What happens while pictures are taken: the traffic goes on. */
function goOnLive() {
  let sentUntil = startedAt
  let sending = Promise.resolve()
  const timer = setInterval(() => {
    const until = Date.now()
    const events = shop.between(sentUntil, until)
    sentUntil = until
    sending = sending
      .then(() => server.send('shop', events))
      .then(() => server.send('world', fromFiftyCountries(events)))
      .catch(() => {})
  }, STEP_MS)
  return { stop: () => clearInterval(timer) }
}

async function openPage(address, context = {}) {
  const opened = await browser.newContext({
    locale: 'en-US',
    timezoneId: 'UTC',
    reducedMotion: 'reduce',
    viewport: WIDE,
    ...context,
  })
  const page = await opened.newPage()
  page.on('pageerror', (error) => console.error(String(error)))
  if (address) await page.goto(address)
  return page
}

/** Resolves when nothing waits for its first answer any more, and what is drawn stands still. */
async function drawn(page) {
  await page.waitForSelector('.nowcast')
  await page.waitForFunction(() => !document.querySelector('.nowcast-skeleton, [aria-busy="true"]'), undefined, {
    timeout: 120_000,
  })
  await page.evaluate(() => document.fonts.ready)
  await page.waitForTimeout(1500)
}

async function picture(name, { project, search = '', context, part, isWhole = true, isEmpty = false }) {
  const page = await openPage(`${server.url}/${search}#token=${await server.tokenOf(project)}`, context)
  if (isEmpty) await page.getByRole('heading', { name: /first event/i }).waitFor()
  await drawn(page)
  await keep(name, page, { part, isWhole })
  await page.context().close()
}

async function keep(name, page, { part, isWhole = true } = {}) {
  const shot = part ? await page.locator(part).first().screenshot() : await page.screenshot({ fullPage: isWhole })
  const png = smallPng(shot)
  await writeFile(`${FOLDER}/${name}.png`, png)
  console.log(`docs/images/${name}.png   ${Math.round(png.length / 1024)} KB`)
}

/** A seller's page in a product of its own, whose token is pinned to shoes. */
async function sellerPicture() {
  const token = await server.tokenOf('shop', { category: ['shoes'] })
  const marketplace = await startMarketplace({ url: server.url, token })
  const page = await openPage(marketplace.url, { viewport: { width: 1100, height: 800 } })
  await drawn(page)
  await keep('seller', page)
  await page.context().close()
  marketplace.stop()
}

/** The server is stopped under the page's eyes. */
async function outagePicture() {
  const page = await openPage(`${server.url}/#token=${await server.tokenOf('shop')}`)
  await drawn(page)
  live.stop()
  await server.stop()
  await page.locator('.nowcast-stale-note').first().waitFor({ timeout: 60_000 })
  await page.waitForTimeout(12_000)
  await keep('outage', page, { isWhole: false })
  await page.context().close()
}
