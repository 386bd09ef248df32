import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import type { RejectedAnswer, TotalAnswer } from '@nowcast/protocol'
import { build } from 'esbuild'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { type ProjectKeys, readTokenOf } from './servers/known-projects.ts'
import { ask, postEvents } from './servers/requests.ts'
import { startServer, type TestServer } from './servers/start-server.ts'
import { until } from './servers/until.ts'

const CHROMIUM = '/usr/bin/chromium'
const hasChromium = existsSync(CHROMIUM)
if (!hasChromium) process.stderr.write(`Skipped: ${CHROMIUM} is missing (Debian: apt-get install chromium).\n`)
const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

let server: TestServer
let project: ProjectKeys
let text: string
let folder: string
beforeAll(async () => {
  server = await startServer()
  project = (await server.ownProjects())[0] as ProjectKeys
  text = await readFile(path('../docs/send-events.md'), 'utf8')
  // Beside the tests, so that packages are found as in an app.
  await mkdir(path('../test-results'), { recursive: true })
  folder = await mkdtemp(path('../test-results/snippet-'))
})
afterAll(async () => {
  await server?.remove()
  if (folder) await rm(folder, { recursive: true, force: true })
})

/** The snippets of a section, made to fit this server. */
function snippets(heading: string): string[] {
  const section = text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`))
  const found = Array.from(section?.matchAll(/```\w+\n(.*?)```/gs) ?? [], ([, code]) => code as string)
  if (found.length === 0) throw new Error(`docs/send-events.md has no snippet under ${heading}`)
  return found.map((code) =>
    code
      .replaceAll('http://localhost:4600', server.url)
      .replaceAll('nc_pub_…', project.writeKey)
      .replaceAll('nc_sec_…', project.secretKey),
  )
}

const figure = async (metric: string) => {
  const query = { kind: 'total', metric, range: { last: '1h' }, bots: true }
  return (await ask<TotalAnswer>(server.url, readTokenOf(project), query)).v
}

/** Runs `work` and waits for what it adds to a metric. */
async function expectMore(metric: string, more: number, work: () => Promise<unknown>): Promise<void> {
  const before = await figure(metric)
  await work()
  await until(before + more, () => figure(metric), 60_000)
}

function run(command: string, args: string[], environment: Record<string, string> = {}): Promise<string> {
  const child = spawn(command, args, { cwd: folder, env: { ...process.env, ...environment }, stdio: 'pipe' })
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (part) => (printed += part))
  return new Promise((resolve, reject) => {
    child.once('close', (code) => (code === 0 ? resolve(printed) : reject(new Error(`exit ${code}: ${printed}`))))
  })
}

async function bundle(code: string, name: string, platform: 'node' | 'browser'): Promise<string> {
  const entry = join(folder, name)
  const outfile = join(folder, `${name}.mjs`)
  await writeFile(entry, code)
  await build({
    ...{ entryPoints: [entry], outfile, platform, bundle: true, format: 'esm', jsx: 'automatic' },
    define: platform === 'browser' ? { 'process.env.NODE_ENV': '"production"' } : {},
    banner:
      platform === 'node'
        ? { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" }
        : {},
  })
  return outfile
}

describe('snippets for servers', () => {
  it('Node', async () => {
    const file = await bundle(snippets('A server with Node')[0] as string, 'node.ts', 'node')
    await expectMore('purchases', 1, () => run(process.execPath, [file]))
  })
  it('Segment’s Node SDK', async () => {
    const file = await bundle(snippets("With Segment's SDKs")[0] as string, 'segment.ts', 'node')
    await expectMore('purchases', 1, () => run(process.execPath, [file]))
  })
  it('curl, and the same order again counts once', async () => {
    const [code = ''] = snippets('Any language')
    const send = () => run('sh', ['-c', `${code.trim()} -sf`], { NOWCAST_KEY: project.secretKey })
    await expectMore('purchases', 1, async () => {
      expect(await send()).toContain('"accepted":1')
      expect(await send()).toContain('"accepted":1')
    })
  })
  it('files', async () => {
    const [commands = '', map = ''] = snippets('From files')
    const files = {
      'access.log.gz': gzipSync('192.0.2.1 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 12 "-" "Browser"\n'),
      'orders.csv.gz': gzipSync(
        'InvoiceNo,StockCode,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n536365,85123A,6,2010-12-01 08:26,2.55,,EIRE\n',
      ),
      'events.ndjson': '{"name":"purchase","userId":"u1","revenue":"19.99","category":"shoes"}\n',
      'map.json': map,
    }
    for (const [name, content] of Object.entries(files)) await writeFile(join(server.folder, name), content)
    const lines = commands.trim().split('\n')
    expect(lines).toHaveLength(3)
    for (const line of lines) {
      const [, ...args] = line.replace(/#.*/, '').trim().split(/\s+/)
      const { code, stdout, stderr } = await server.run(...(args as [string, ...string[]]))
      expect([code, stdout], stderr).toEqual([0, expect.stringContaining('1 accepted, 0 rejected')])
    }
  })
  it('what was refused', async () => {
    await postEvents(server.url, project.secretKey, { events: [{ name: 'x' }] })
    const [code = '', shape = ''] = snippets('What was refused')
    const list = async () => {
      const answer = await run('sh', ['-c', `${code.trim()} -sf`], { NOWCAST_TOKEN: readTokenOf(project) })
      return JSON.parse(answer) as RejectedAnswer
    }
    await until(1, async () => (await list()).rejected.length)
    const { rejected } = JSON.parse(shape) as RejectedAnswer
    expect(Object.keys((await list()).rejected[0] ?? {})).toEqual(Object.keys(rejected[0] ?? {}))
  })
})

describe.skipIf(!hasChromium)('snippets for pages', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] })
  })
  afterAll(() => browser?.close())

  /** Opens a page with that body, on an origin of its own. */
  async function openPage(body: string, script?: string): Promise<Page> {
    const site = createServer((request, response) => {
      const isScript = request.url === '/page.js'
      response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
      const tag = script === undefined ? '' : '<script type="module" src="/page.js"></script>'
      response.end(isScript ? script : `<!doctype html><title>Shop</title><div id="root">${body}</div>${tag}`)
    })
    await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve))
    const context = await browser.newContext({ locale: 'en-US' })
    const page = await context.newPage()
    const errors: string[] = []
    page.on('pageerror', ({ message }) => errors.push(message))
    onTestFinished(async () => {
      await context.close()
      site.closeAllConnections()
      site.close()
      expect(errors).toEqual([])
    })
    await page.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}/shoes`)
    return page
  }
  const script = async (code: string, name: string) => readFile(await bundle(code, name, 'browser'), 'utf8')

  it('the script tag', async () => {
    const [tag = '', button = ''] = snippets('A page with a script tag')
    await expectMore('page_views', 1, async () => {
      const page = await openPage(tag + button)
      await page.waitForFunction('typeof nowcast === "object" && typeof nowcast.track === "function"')
      await expectMore('purchases', 1, () => page.click('button'))
    })
  })
  it('a bundler', async () => {
    const code = await script(snippets('A page with a bundler')[0] as string, 'browser.ts')
    await expectMore('page_views', 1, () => expectMore('purchases', 1, () => openPage('', code)))
  })
  it('React', async () => {
    const render = `import { createRoot } from 'react-dom/client'
      createRoot(document.getElementById('root')!).render(<BuyButton />)`
    const code = await script(`${snippets('React')[0]}\n${render}`, 'react.tsx')
    await expectMore('page_views', 1, async () => {
      const page = await openPage('', code)
      await expectMore('purchases', 1, () => page.click('button'))
    })
  })
  it('Next.js’s component, rendered on the server and again in the page', async () => {
    const [component = ''] = snippets('Next.js')
    const onServer = `${component}\nimport { renderToString } from 'react-dom/server'
      console.log(JSON.stringify(renderToString(<main><Nowcast userId="u1" /></main>)))`
    const html = JSON.parse(await run(process.execPath, [await bundle(onServer, 'next-server.tsx', 'node')])) as string
    const hydrate = `${component}\nimport { hydrateRoot } from 'react-dom/client'
      hydrateRoot(document.getElementById('root')!, <main><Nowcast userId="u1" /></main>)`
    await expectMore('page_views', 1, async () => openPage(html, await script(hydrate, 'next-page.tsx')))
  })
  it('Segment’s browser SDK', async () => {
    const code = await script(snippets("With Segment's SDKs")[1] as string, 'segment-browser.ts')
    await expectMore('page_views', 1, () => expectMore('purchases', 1, () => openPage('', code)))
  })
})
