import { mkdir, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { SeriesAnswer } from '@nowcast/protocol'
import { build } from 'esbuild'
import type { Browser } from 'playwright-core'
import { createElement } from 'react'
import { renderToString } from 'react-dom/server'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { Dashboard, NowcastProvider } from '../src/index.ts'
import { hasChromium, launchChromium, openPage, RESULTS } from './chromium.ts'
import { startTestServer } from './server/start-test-server.ts'

const FOLDER = `${RESULTS}/embed`
const PAGE =
  '<!doctype html><title>Host</title><link rel="icon" href="data:,"><link rel="stylesheet" href="style.css"><div id="root"></div><script type="module" src="embedding-app.js"></script>'

function path(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url))
}

function bundle(entry: string, outdir: string) {
  return build({
    entryPoints: [entry],
    bundle: true,
    splitting: true,
    format: 'esm',
    metafile: true,
    outdir,
    define: { 'process.env.NODE_ENV': '"development"' },
    logLevel: 'error',
  })
}

it('renders on a server, where there is no window', () => {
  const html = renderToString(
    createElement(NowcastProvider, { url: 'https://host', token: 'x' }, createElement(Dashboard, { title: 'Shop' })),
  )
  expect(html).toContain('Shop')
  expect(html).toContain('nowcast-skeleton')
})

it('the chart library is loaded with the first chart only', async () => {
  const { metafile } = await bundle(path('../src/index.ts'), `${FOLDER}/library`)
  const outputs = Object.entries(metafile.outputs)
  const entry = outputs.find(([, { entryPoint }]) => entryPoint?.endsWith('src/index.ts'))![1]
  const reached = [
    entry,
    ...entry.imports.filter(({ kind }) => kind === 'import-statement').map((one) => metafile.outputs[one.path]!),
  ]
  const inputs = reached.flatMap((output) => Object.keys(output.inputs))
  expect(inputs.some((input) => input.includes('open-live-socket'))).toBe(true)
  expect(inputs.filter((input) => input.includes('recharts'))).toEqual([])
})

describe.skipIf(!hasChromium())('embedded in a host in Strict Mode', () => {
  let browser: Browser
  let server: Awaited<ReturnType<typeof startTestServer>>

  beforeAll(async () => {
    await mkdir(FOLDER, { recursive: true })
    await Promise.all([
      bundle(path('./embed/embedding-app.tsx'), FOLDER),
      build({
        entryPoints: [path('../src/style.css')],
        bundle: true,
        outfile: `${FOLDER}/style.css`,
        logLevel: 'error',
      }),
      writeFile(`${FOLDER}/index.html`, PAGE),
    ])
    browser = await launchChromium()
    server = await startTestServer({ pageFolder: FOLDER, hasPolicy: false })
  })
  afterAll(async () => {
    await browser.close()
    await server.stop()
  })

  it('equal queries share one subscription, and all end with the components', async () => {
    const { page, complaints, screenshot } = await openPage(browser)
    await page.goto(`${server.url}/?url=${encodeURIComponent(server.url)}`)
    await page.locator('.nowcast-line').first().waitFor({ state: 'attached' })
    await page.locator('#total', { hasText: /\d/ }).waitFor()
    await page.getByText('breakdown: no such dimension').waitFor()

    const kinds = server.calls.subscribe.map(({ kind, breakdown }) => breakdown ?? kind)
    expect(kinds.sort()).toEqual(['country', 'device', 'nonsense', 'overview', 'series', 'total'])
    expect(server.calls.subscribe.every(({ filters }) => filters?.country?.join() === 'DE,US')).toBe(true)
    expect(server.io.engine.clientsCount).toBe(1)

    await page.getByRole('heading', { name: 'Gerade da' }).waitFor()
    expect(await page.locator('.nowcast-legend').first().textContent()).toContain('Vereinigte Staaten')
    expect(
      await page
        .locator('.nowcast-tile')
        .first()
        .evaluate((one) => getComputedStyle(one).backgroundColor),
    ).toBe('rgb(23, 25, 30)')

    await page.getByRole('button', { name: 'render' }).click()
    expect(await page.locator('#fetched').textContent()).toBe('1 fetched, 1 renders')
    await screenshot('embedded')

    await page.getByRole('button', { name: 'toggle' }).click()
    await vi.waitFor(() => expect(server.io.engine.clientsCount).toBe(0), { timeout: 4000 })
    await page.getByRole('button', { name: 'toggle' }).click()
    await page.locator('#total', { hasText: /\d/ }).waitFor()
    expect(complaints).toEqual([])
  })

  it('charts of one page point at the same time, and tell what is unusual by shape and in words', async () => {
    const { page, complaints } = await openPage(browser)
    await page.goto(`${server.url}/?url=${encodeURIComponent(server.url)}`)
    const plots = page.locator('.nowcast-plot')
    await plots.nth(1).locator('.nowcast-line').first().waitFor({ state: 'attached' })
    await plots.first().hover()
    await plots.nth(1).locator('.nowcast-active circle').first().waitFor({ state: 'attached' })

    const strong = plots.nth(1).locator('.nowcast-anomalies path[data-strong]').first()
    await strong.hover({ force: true })
    await plots
      .nth(1)
      .locator('.nowcast-tooltip', { hasText: /expected/ })
      .waitFor()
    expect(complaints).toEqual([])
  })

  it('whoever wants less motion has none', async () => {
    const { page } = await openPage(browser)
    await page.emulateMedia({ reducedMotion: 'reduce' })
    await page.goto(`${server.url}/?url=${encodeURIComponent(server.url)}`)
    await page.locator('.nowcast-tile').first().waitFor()
    // Found and looked at in one step: what is taken out of the page in between has no style at all.
    const motions = await page.evaluate(() =>
      [...document.querySelectorAll('.nowcast, .nowcast *')]
        .map((one) => getComputedStyle(one))
        .map((style) => `${style.animationName} ${style.transitionDuration}`),
    )
    expect([...new Set(motions)]).toEqual(['none 0s'])
  })

  it('the lines of a chart and the tooltip that is open follow the figures', async () => {
    const { page, complaints } = await openPage(browser)
    await page.goto(`${server.url}/?url=${encodeURIComponent(server.url)}`)
    const line = page.locator('.nowcast-line').first()
    await line.waitFor({ state: 'attached' })
    await page.locator('.nowcast-plot').first().hover()
    const tooltip = page.locator('.nowcast-tooltip')
    const text = await tooltip.textContent()
    const drawn = await line.getAttribute('d')
    const room = [...server.rooms.values()].find(({ answer }) => answer.kind === 'series')!
    const { series } = room.answer as SeriesAnswer
    // Each bucket a little lower: the axes stay as they are.
    const lower = series.map(({ key, points }) => ({ key, points: points.map(({ t, v }) => ({ t, v: v * 0.99 })) }))
    room.revision++
    server.io.to(room.id).emit('delta', { id: room.id, revision: room.revision, asOf: Date.now(), series: lower })
    await tooltip.filter({ hasNotText: text! }).waitFor()
    expect(await line.getAttribute('d')).not.toBe(drawn)
    expect(complaints).toEqual([])
  })
})
