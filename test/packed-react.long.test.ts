import { execFile } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { type Browser, chromium } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestServer } from '../packages/react-dashboard/test/server/start-test-server.ts'
import { createProject, everyComponent, packAll, printed, typeErrors } from './packed-project.ts'
import { CHROMIUM, hasChromium } from './servers/has-chromium.ts'

const run = promisify(execFile)
const PAGE =
  '<!doctype html><title>Host</title><link rel="icon" href="data:,"><link rel="stylesheet" href="style.css"><div id="root"></div><script type="module" src="page.js"></script>'

let folder: string
let tarball: string
let browser: Browser | undefined

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nowcast-react-'))
  tarball = (await packAll(folder, ['react-dashboard']))['react-dashboard']
  if (hasChromium())
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] })
})
afterAll(async () => {
  await browser?.close()
  await rm(folder, { recursive: true, force: true })
})

describe.each(['18', '19'])('the packed @nowcast/react, with React %s', (version) => {
  let project: string

  beforeAll(async () => {
    project = join(folder, `react-${version}`)
    const packages = ['react', 'react-dom', 'react-is', '@types/react', '@types/react-dom'].map(
      (name) => `${name}@${version}`,
    )
    await createProject(project, [tarball, ...packages, '@types/node@20'])
    await writeFile(join(project, 'every-component.tsx'), await everyComponent())
  })

  test('every component there is stands in the page of these tests, and its types hold', async () => {
    const source = await everyComponent()
    const names = await printed(
      project,
      `for (const [name, value] of Object.entries(await import('@nowcast/react')))
        if (typeof value === 'function' && name !== 'NowcastError') console.log(name)`,
    )
    const used = names.split('\n')
    expect(used).toContain('RecentEvents')
    expect(used.filter((name) => !new RegExp(`<${name}\\b|\\b${name}\\(\\{?`).test(source))).toEqual([])
    expect(await typeErrors(project, { 'every-component.tsx': source })).toBe('')
  })

  test('renders to text where there is no window', async () => {
    await bundle('server.tsx', 'node', [
      "import { renderToString } from 'react-dom/server'",
      "import { EveryComponent } from './every-component.tsx'",
      "console.log(typeof window, renderToString(<EveryComponent url='https://host' />))",
    ])
    const { stdout } = await run(process.execPath, ['server.js'], { cwd: project })
    expect(stdout).toMatch(/^undefined <output/)
    for (const kind of ['tile', 'series', 'breakdown', 'funnel', 'recent', 'filters', 'connection', 'dashboard']) {
      expect(stdout).toContain(`nowcast nowcast-${kind}`)
    }
    expect(stdout).toContain('nowcast-skeleton')
  })

  test.skipIf(!hasChromium())('is alive in a browser, in Strict Mode, without a complaint', async () => {
    await bundle('page.tsx', 'browser', [
      "import { createRoot } from 'react-dom/client'",
      "import { EveryComponent } from './every-component.tsx'",
      "createRoot(document.getElementById('root')).render(<EveryComponent url={location.origin} />)",
    ])
    const site = join(project, 'site')
    await copyFile(join(project, 'node_modules/@nowcast/react/dist/style.css'), join(site, 'style.css'))
    await writeFile(join(site, 'index.html'), PAGE)
    const server = await startTestServer({ pageFolder: site, hasPolicy: false })
    const page = await (browser as Browser).newPage({ locale: 'en-US' })
    const complaints: string[] = []
    page.on('console', (message) => message.type() !== 'info' && complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(String(error)))
    try {
      await page.goto(server.url)
      await page.locator('#hooks', { hasText: /^\d+ \d+ DE live$/ }).waitFor()
      await page.locator('.nowcast-compared[d^="M"]').first().waitFor({ state: 'attached' })
      await page.locator('.nowcast-layer').first().waitFor({ state: 'attached' })
      await page.locator('.nowcast-funnel-step').nth(1).waitFor()
      await page.locator('.nowcast-event').nth(4).waitFor()
      await page.locator('.nowcast-dashboard .nowcast-tile[data-status="live"]').nth(5).waitFor()
      await page.locator('[data-status="loading"]').first().waitFor({ state: 'detached' })
      expect(complaints).toEqual([])
    } finally {
      await page.close()
      await server.stop()
    }
  })

  async function bundle(name: string, platform: 'node' | 'browser', lines: string[]) {
    await writeFile(join(project, name), lines.join('\n'))
    await mkdir(join(project, 'site'), { recursive: true })
    const target = name.replace('tsx', 'js')
    await build({
      entryPoints: [join(project, name)],
      outdir: platform === 'node' ? project : join(project, 'site'),
      entryNames: target.replace('.js', ''),
      bundle: true,
      format: 'esm',
      jsx: 'automatic',
      platform,
      splitting: platform === 'browser',
      ...(platform === 'node' && { packages: 'external' as const }),
      define: { 'process.env.NODE_ENV': '"development"' },
      logLevel: 'error',
    })
  }
})

describe('the packed @nowcast/react in a framework with React Server Components', () => {
  test('is handed to the browser as references: a server component can use it without running it', async () => {
    const project = join(folder, 'server-components')
    await createProject(project, [tarball, 'react@19', 'react-dom@19', 'react-is@19'])
    const loader = ['react-server-dom-webpack@19', '--legacy-peer-deps', '--no-save', '--prefer-offline']
    await run('npm', ['install', '--no-audit', '--no-fund', ...loader], { cwd: project })
    // Node hands sources on as bytes, and the loader of React takes text.
    await writeFile(
      join(project, 'text-loader.mjs'),
      `export const load = async (url, context, next) => {
        const loaded = await next(url, context)
        return loaded.source ? { ...loaded, source: String(Buffer.from(loaded.source)) } : loaded
      }`,
    )
    await writeFile(
      join(project, 'render.mjs'),
      `import { register } from 'node:module'
      register('./text-loader.mjs', import.meta.url)
      register('react-server-dom-webpack/node-loader', import.meta.url)
      const { createElement } = await import('react')
      const { default: { renderToPipeableStream } } = await import('react-server-dom-webpack/server.node')
      const nowcast = await import('@nowcast/react')
      const url = import.meta.resolve('@nowcast/react')
      const exports = new Proxy({}, { get: (_, key) => ({ id: 'nowcast', name: String(key).split('#')[1], chunks: [] }) })
      const server = () => createElement(nowcast.NowcastProvider, { url: 'https://host', token: 'x' },
        createElement('h1', null, 'On the server'), createElement(nowcast.Dashboard))
      console.log(url.endsWith('dist/index.js'), typeof nowcast.Dashboard.$$typeof)
      renderToPipeableStream(createElement(server), exports).pipe(process.stdout)`,
    )
    const { stdout } = await run(process.execPath, ['--conditions', 'react-server', 'render.mjs'], { cwd: project })
    expect(stdout).toContain('true symbol')
    expect(stdout).toMatch(/I\["nowcast",\[\],"NowcastProvider"/)
    expect(stdout).toMatch(/I\["nowcast",\[\],"Dashboard"/)
    expect(stdout).toContain('On the server')
  })

  test("says 'use client' first in every file that runs", async () => {
    const dist = fileURLToPath(new URL('../packages/react-dashboard/dist/', import.meta.url))
    const { stdout } = await run('tar', ['-tzf', tarball])
    const files = [...stdout.matchAll(/^package\/dist\/(\S+\.js)$/gm)].map(([, name]) => name as string)
    expect(files).toEqual(expect.arrayContaining(['index.js', 'series-chart.js']))
    for (const name of files) expect(await readFile(join(dist, name), 'utf8'), name).toMatch(/^'use client'[;\n]/)
  })
})
