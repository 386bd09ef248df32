import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createClient } from '@nowcast/node'
import type { RecentAnswer, TotalAnswer } from '@nowcast/protocol'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ProjectKeys, readTokenOf } from './servers/known-projects.ts'
import { ask } from './servers/requests.ts'
import { startServer, type TestServer } from './servers/start-server.ts'
import { until } from './servers/until.ts'

const CHROMIUM = '/usr/bin/chromium'
const SDK = fileURLToPath(new URL('../packages/sdk-browser/dist/index.js', import.meta.url))
const DAY_MS = 86_400_000

let server: TestServer
let project: ProjectKeys
let network: Server
let networkUrl: string
let folder: string

beforeAll(async () => {
  server = await startServer()
  project = (await server.ownProjects())[0]!
  network = await startBadNetwork(server.port)
  networkUrl = `http://127.0.0.1:${(network.address() as AddressInfo).port}`
  folder = await mkdtemp(join(tmpdir(), 'nowcast-spool-'))
})
afterAll(async () => {
  network?.closeAllConnections()
  network?.close()
  await server?.remove()
  await rm(folder, { recursive: true, force: true })
})

// A browser without a window calls itself a bot.
const lastHour = (name: string) => ({ range: { last: '1h' }, filters: { name: [name] }, bots: true })

const eventsNamed = async (name: string) => {
  const query = { kind: 'total', metric: 'events', ...lastHour(name) }
  return (await ask<TotalAnswer>(server.url, readTokenOf(project), query)).v
}

/** Waits until the newest events of a name are those up to `last`, in order and without gaps. */
async function expectInOrder(name: string, last: number) {
  const newestNumbers = async () => {
    const query = { kind: 'recent', metric: 'events', ...lastHour(name) }
    const { events } = await ask<RecentAnswer>(server.url, readTokenOf(project), query)
    return events.map(({ properties }) => Number(properties?.number)).reverse()
  }
  await until(last, async () => (await newestNumbers()).at(-1) ?? -1)
  const numbers = await newestNumbers()
  expect(numbers.length).toBeGreaterThanOrEqual(50)
  expect(numbers).toEqual(numbers.map((_, index) => last + 1 - numbers.length + index))
}

describe('over a network that loses requests and answers', () => {
  it('every event of the Node SDK is counted once, also with a spool', async () => {
    for (const [name, spool] of [
      ['from_memory', undefined],
      ['from_spool', { folder }],
    ] as const) {
      const client = createClient({ key: project.secretKey, url: networkUrl, spool, retryMinMs: 10, retryMaxMs: 50 })
      for (let number = 0; number < 3000; number++) {
        client.track(name, { userId: name, number })
        if (number % 200 === 0) await new Promise((resolve) => setTimeout(resolve, 5))
      }
      expect(await client.close({ timeoutMs: 60_000 })).toBe(true)
      await until(3000, () => eventsNamed(name))
      await expectInOrder(name, 2999)
    }
  })

  describe.skipIf(!hasChromium())('in a browser', () => {
    let browser: Browser
    let shop: Server
    let shopUrl: string
    beforeAll(async () => {
      browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] })
      shop = createServer(async (request, response) => {
        const isScript = request.url === '/sdk.js'
        response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
        response.end(isScript ? await readFile(SDK) : pageOf(project.writeKey))
      })
      await new Promise<void>((resolve) => shop.listen(0, '127.0.0.1', resolve))
      shopUrl = `http://127.0.0.1:${(shop.address() as AddressInfo).port}`
    })
    afterAll(async () => {
      await browser?.close()
      shop?.closeAllConnections()
      shop?.close()
    })

    const open = async (page: Page) => {
      await page.goto(shopUrl)
      await page.waitForFunction('window.nowcast')
    }
    const track = (page: Page, name: string, from: number, count: number) =>
      page.evaluate(
        `for (let number = ${from}; number < ${from + count}; number++) nowcast.track('${name}', { number })`,
      )

    it('every event is counted once and in order, over reloads in the middle of batches and in two tabs', async () => {
      const context = await browser.newContext({ locale: 'en-US' })
      const [left, right] = [await context.newPage(), await context.newPage()]
      await Promise.all([open(left), open(right)])
      for (let from = 0; from < 500; from += 50) {
        await Promise.all([track(left, 'left', from, 50), track(right, 'right', from, 50)])
        if (from % 100) await open(left)
      }
      await Promise.all([left.evaluate('nowcast.flush()'), right.evaluate('nowcast.flush()')])
      await context.close()
      for (const name of ['left', 'right']) {
        await until(500, () => eventsNamed(name))
        await expectInOrder(name, 499)
      }
    })

    it.each([
      ['fast', DAY_MS],
      ['slow', -DAY_MS],
    ])('an event of a clock that is a day %s is counted in the hour in which it happened', async (name, wrongBy) => {
      const context = await browser.newContext({ locale: 'en-US' })
      const page = await context.newPage()
      await page.addInitScript(`{ const now = Date.now; Date.now = () => now() + ${wrongBy} }`)
      await open(page)
      await track(page, name, 0, 20)
      await page.evaluate('nowcast.flush()')
      await context.close()
      await until(20, () => eventsNamed(name))
    })
  })
})

const pageOf = (key: string) => `<!doctype html><title>Shop</title><script type="module">
  import { createClient } from '/sdk.js'
  window.nowcast = createClient({ key: '${key}', url: '${networkUrl}', retryMinMs: 10, retryMaxMs: 50 })
</script>`

/** A network in front of the server: of 8 requests, 2 lose their answer, 1 never arrives, 1 is told to come later. */
async function startBadNetwork(port: number): Promise<Server> {
  let count = 0
  const network = createServer((incoming, outgoing) => {
    const turn = incoming.method === 'POST' ? ++count % 8 : 0
    if (turn === 1) return void incoming.socket.destroy()
    if (turn === 5) return void outgoing.writeHead(503, { 'access-control-allow-origin': '*' }).end()
    const { method, headers, url } = incoming
    const forwarded = request({ port, host: '127.0.0.1', method, headers, path: url }, (answer) => {
      if (turn === 3 || turn === 6) return void incoming.socket.destroy()
      outgoing.writeHead(answer.statusCode!, answer.headers)
      answer.pipe(outgoing)
    })
    forwarded.on('error', () => incoming.socket.destroy())
    incoming.pipe(forwarded)
  })
  await new Promise<void>((resolve) => network.listen(0, '127.0.0.1', resolve))
  return network
}

function hasChromium(): boolean {
  if (existsSync(CHROMIUM)) return true
  process.stderr.write(`Skipped: ${CHROMIUM} is missing (Debian: apt-get install chromium).\n`)
  return false
}
