import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { freePort } from '../scripts/loopback-ports.mjs'
import { quantile } from './measure/ask.mjs'
import { readFlags, report } from './measure/report.mjs'

/*
 * From `track()` in one browser until a component in another shows it: SDK, HTTP, log, windows, delta, React, DOM. The
 * server is the built one (`npm run build`); times are of one clock. Events come at any moment between two ticks.
 */

const flags = readFlags({ events: 100 })
/** Without it the browser says that it is headless, and is counted as a bot. */
const USER_AGENT =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36'
const BOUND_MS = 10_000
const path = (relative) => fileURLToPath(new URL(relative, import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'nowcast-freshness-'))

/** Starts `nowcast start`; its address and the page with its token, as it prints them. */
async function startServer() {
  const port = await freePort()
  const child = spawn(
    process.execPath,
    [path('../packages/server/dist/cli.js'), 'start', '--port', String(port), '--data-dir', join(folder, 'data')],
    { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] },
  )
  let printed = ''
  await new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)))
    child.stdout.setEncoding('utf8').on('data', (text) => {
      printed += text
      if (printed.includes('Ctrl-C stops')) resolve()
    })
  })
  const [{ writeKey }] = JSON.parse(readFileSync(join(folder, 'data/projects.json'), 'utf8'))
  return { child, url: `http://127.0.0.1:${port}`, page: /http:\S+#token=\S+/.exec(printed)[0], writeKey }
}

/** A page of a shop with the SDK. */
async function startShop(url, key) {
  const html = `<!doctype html><title>Shop</title><link rel="icon" href="data:,"><script type="module">
    import { createClient } from '/sdk.js'
    const nowcast = createClient({ key: '${key}', url: '${url}' })
    window.view = () => { const at = Date.now(); nowcast.track('page_view'); return at }
  </script>`
  const sdk = readFileSync(path('../packages/sdk-browser/dist/index.js'))
  const shop = createServer(({ url: asked }, response) => {
    response.setHeader('content-type', asked === '/sdk.js' ? 'text/javascript' : 'text/html')
    response.end(asked === '/sdk.js' ? sdk : html)
  })
  await new Promise((resolve) => shop.listen(0, '127.0.0.1', resolve))
  return shop
}

const launch = () => chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] })

/** Runs in the dashboard: writes down when the tile of page views shows another number. */
function watchTile() {
  const tile = [...document.querySelectorAll('.nowcast-tile')].find((one) => one.textContent.includes('Page views'))
  const shown = () =>
    Number(tile.querySelector('.nowcast-tile-value')?.getAttribute('title')?.replace(/[^\d]/g, '') ?? 0)
  window.changes = []
  let last = shown()
  new MutationObserver(() => {
    const number = shown()
    if (number !== last) window.changes.push({ number, at: Date.now() })
    last = number
  }).observe(tile, { subtree: true, childList: true, attributes: true, characterData: true })
  return last
}

const server = await startServer()
const shop = await startShop(server.url, server.writeKey)
const browsers = [await launch(), await launch()]
const latencies = []
try {
  const [visitor, dashboard] = await Promise.all(browsers.map((browser) => browser.newPage({ userAgent: USER_AGENT })))
  await visitor.goto(`http://127.0.0.1:${shop.address().port}/`)
  await visitor.waitForFunction('window.view')
  await visitor.evaluate('window.view()')
  await dashboard.goto(server.page)
  await dashboard.locator('.nowcast-tile', { hasText: 'Page views' }).locator('.nowcast-tile-value').first().waitFor()
  await sleep(3000)
  let number = await dashboard.evaluate(watchTile)
  for (let i = 0; i < flags.events; i++) {
    await sleep(200 + Math.random() * 1000)
    const sentAt = await visitor.evaluate('window.view()')
    number++
    // The page's policy evaluates no text, but runs functions.
    const wanted = (least) => window.changes.find((one) => one.number >= least)?.at
    const seen = await dashboard.waitForFunction(wanted, number, { timeout: BOUND_MS, polling: 20 })
    latencies.push((await seen.jsonValue()) - sentAt)
  }
} finally {
  await Promise.all(browsers.map((browser) => browser.close()))
  shop.close()
  server.child.kill('SIGTERM')
  await new Promise((resolve) => server.child.once('exit', resolve))
  rmSync(folder, { recursive: true, force: true })
}

const p99 = quantile(latencies, 0.99)
report(
  {
    bench: 'freshness',
    setup: { events: flags.events },
    rows: [
      { what: 'track() to the changed component', unit: 'ms', readings: latencies },
      { what: '  p99', unit: 'ms', readings: [p99] },
      { what: 'bound', unit: 'ms', readings: [BOUND_MS] },
    ],
    aims: [{ what: `p99 ${Math.round(p99)} ms`, aim: '(≤ 1,500)', met: p99 <= 1500 }],
  },
  flags.json,
)
