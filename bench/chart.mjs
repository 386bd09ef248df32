import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { chromium } from 'playwright-core'
import { startChartMeter } from './measure/chart-meter.mjs'
import { readFlags, report, spread } from './measure/report.mjs'
import { startChartFeed } from './server/chart-feed.mjs'

/*
 * What a live chart costs the page that embeds it: the main thread's work while a day of minutes gets a delta every
 * second, beside the same page when nothing comes and the bare chart library that draws as many points every second; and
 * what an hour of updates, compressed into a minute, leaves in memory. The components are the built ones.
 */

const flags = readFlags({ seconds: 60, rounds: 3, updates: 3600, warmup: 600 })
const { seconds, rounds, updates, warmup } = flags
const UPDATES_A_SECOND = 60
const AIM_MS = 16
const AIM_BYTES = 2 ** 20
const LINES = '.nowcast-line, .drawn path'
const path = (relative) => fileURLToPath(new URL(relative, import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'nowcast-chart-'))

async function buildPage() {
  await build({
    entryPoints: [path('page/chart-page.jsx')],
    bundle: true,
    splitting: true,
    minify: true,
    format: 'esm',
    jsx: 'automatic',
    outdir: folder,
    define: { 'process.env.NODE_ENV': '"production"' },
    logLevel: 'error',
  })
  copyFileSync(path('../packages/react-dashboard/dist/style.css'), join(folder, 'style.css'))
  const head =
    '<!doctype html><title>Host</title><link rel="icon" href="data:,"><link rel="stylesheet" href="style.css">'
  writeFileSync(
    join(folder, 'index.html'),
    `${head}<div id="root"></div><script type="module" src="chart-page.js"></script>`,
  )
}

/** Sends updates evenly, whatever the timers of a busy machine do. */
async function feed(count, aSecond) {
  const start = performance.now()
  for (let i = 1; i <= count; i++) {
    await sleep(Math.max(0, start + (i * 1000) / aSecond - performance.now()))
    server.advance()
  }
}

const drawn = (page) => page.$$eval(LINES, (lines) => lines.map((line) => line.getAttribute('d')))

async function openPage(query, charts) {
  const page = await browser.newPage({ viewport: { width: 1320, height: 900 } })
  await page.goto(`${server.url}/?${query}`)
  await page.waitForFunction(([lines, count]) => document.querySelectorAll(lines).length >= count, [LINES, charts])
  return { page, meter: await startChartMeter(page) }
}

/** The main thread's work of one page, after it has settled. */
async function measure({ query, charts = 1, work, updates = 0 }) {
  const { page, meter } = await openPage(query, charts)
  await feed(10, 2)
  await sleep(2000)
  const before = await drawn(page)
  const done = await meter.during(() => work(seconds), seconds)
  const after = await drawn(page)
  await page.close()
  // One late second more or less; a chart that stood still would cost nothing.
  if (updates > 0 && (done.layouts < updates * 0.9 - 1 || before.join() === after.join()))
    throw new Error(`${query}: the page followed only ${done.layouts} of ${updates} updates`)
  return { ...done, charts }
}

/** What an hour of updates leaves behind. */
async function measureMemory() {
  const { page, meter } = await openPage('charts=1&columns=1&anomalies', 1)
  await feed(warmup, UPDATES_A_SECOND)
  await sleep(1000)
  const before = await meter.held()
  const first = await drawn(page)
  await feed(updates, UPDATES_A_SECOND)
  await sleep(1000)
  const after = await meter.held()
  const last = await drawn(page)
  await page.close()
  if (first.join() === last.join()) throw new Error('the chart stood still')
  return { before, after }
}

const everySecond = (count) => feed(count, 1)
const idle = (count) => sleep(count * 1000)
const PAGES = {
  idle: { what: 'idle page with a chart', query: 'charts=1&columns=1', work: idle },
  bare: { what: 'limit: recharts alone', query: 'bare&columns=1', work: idle, updates: seconds },
  one: { what: 'a chart', query: 'charts=1&columns=1', work: everySecond, updates: seconds },
  marked: {
    what: 'a chart, expected range',
    query: 'charts=1&columns=1&anomalies',
    work: everySecond,
    updates: seconds,
  },
  four: { what: 'each of four', query: 'charts=4&columns=2', charts: 4, work: everySecond, updates: seconds },
}

await buildPage()
const server = await startChartFeed(folder)
const args = ['--no-sandbox', '--disable-gpu', '--disable-background-networking']
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args })
const found = Object.fromEntries(Object.keys(PAGES).map((name) => [name, []]))
let memory
try {
  // In turns, so that what else the machine does meets all of them.
  for (let round = 0; round < rounds; round++)
    for (const [name, page] of Object.entries(PAGES)) found[name].push(await measure(page))
  memory = await measureMemory()
} finally {
  await browser.close()
  await server.stop()
  rmSync(folder, { recursive: true, force: true })
}

const PARTS = {
  cpuMs: ', CPU',
  scriptMs: '  of it script',
  layoutMs: '  of it style and layout',
  clockMs: '  by the clock',
}
const rows = Object.entries(PAGES).flatMap(([name, { what }]) =>
  Object.entries(PARTS).map(([part, text]) => ({
    what: part === 'cpuMs' ? `${what}${text}` : text,
    unit: 'ms a second',
    digits: 1,
    readings: found[name].map((one) => one[part] / one.charts),
  })),
)
const cpuMs = (name) => spread(found[name].map((one) => one.cpuMs / one.charts)).median
const growth = memory.after.bytes - memory.before.bytes
const mebibytes = (bytes) => bytes / 2 ** 20
report(
  {
    bench: 'chart',
    setup: { seconds, rounds, points: 1440, updates, warmup, updatesASecond: UPDATES_A_SECOND },
    rows: [
      ...rows,
      { what: 'held before the hour', unit: 'MiB', digits: 2, readings: [mebibytes(memory.before.bytes)] },
      { what: 'grown by it', unit: 'MiB', digits: 2, readings: [mebibytes(growth)] },
      { what: 'grown by it', unit: 'DOM nodes', readings: [memory.after.nodes - memory.before.nodes] },
      { what: 'grown by it', unit: 'listeners', readings: [memory.after.listeners - memory.before.listeners] },
    ],
    aims: [
      ...['one', 'marked', 'four'].map((name) => ({
        what: `${PAGES[name].what}: ${cpuMs(name).toFixed(1)} ms a second`,
        aim: `(≤ ${AIM_MS})`,
        met: cpuMs(name) <= AIM_MS,
      })),
      { what: `an hour of updates: ${mebibytes(growth).toFixed(2)} MiB`, aim: '(< 1)', met: growth < AIM_BYTES },
    ],
  },
  flags.json,
)
