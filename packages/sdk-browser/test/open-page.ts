import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { type IngestServer, startIngestServer } from '@nowcast/sdk-core/ingest-server'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { onTestFinished } from 'vitest'
import type { Client } from '../src/index.ts'

export interface OpenPageOptions {
  /** Options of `createClient`, as source text, beside key and url. */
  options?: string
  /** HTML of the page, made for the address of the ingest server; by default it makes `window.client`. */
  html?: (ingestUrl: string, siteUrl: string) => string
  /** Runs in every page before its own scripts. */
  before?: string | (() => void)
}

export interface OpenedPage {
  page: Page
  context: BrowserContext
  server: IngestServer
  siteUrl: string
}

declare global {
  interface Window {
    client: Client
    errors: { code: string; lostEvents: number }[]
  }
}

const CSP = "default-src 'none'; script-src 'self' 'nonce-test'; connect-src *"

/** Opens a site of one page, whatever the path, in a fresh profile; it sends to a server on another origin. */
export async function openPage(
  browser: Browser,
  { options = '', html = clientPage(options), before }: OpenPageOptions = {},
): Promise<OpenedPage> {
  const server = await startIngestServer()
  const site = http.createServer((request, response) => {
    if (/\.js$/.test(request.url!)) {
      response.setHeader('content-type', 'text/javascript')
      return response.end(readFileSync(path.join(import.meta.dirname, '../dist', request.url!)))
    }
    response.setHeader('content-type', 'text/html')
    response.setHeader('content-security-policy', CSP)
    response.end(html(server.url, siteUrl))
  })
  site.listen(0, '127.0.0.1')
  await once(site, 'listening')
  const siteUrl = `http://127.0.0.1:${(site.address() as AddressInfo).port}`

  const context = await browser.newContext({ locale: 'en-US' })
  if (before) await context.addInitScript(before)
  context.setDefaultTimeout(60_000)
  const page = await context.newPage()
  const pageErrors: string[] = []
  page.on('pageerror', (error) => pageErrors.push(error.message))
  onTestFinished(async () => {
    await context.close()
    site.closeAllConnections()
    site.close()
    await server.stop()
    const unexpected = pageErrors.filter((message) => !message.startsWith('expected'))
    if (unexpected.length) throw new Error(`uncaught in the page: ${unexpected}`)
  })
  await page.goto(siteUrl)
  return { page, context, server, siteUrl }
}

const clientPage = (options: string) => (ingestUrl: string) =>
  `<!doctype html><title>Shop</title>
  <button data-nowcast-event="add_to_cart"><b>Buy</b></button><button id="plain">Look</button>
  <script type="module" nonce="test">
    import { createClient } from '/index.js'
    window.errors = []
    window.client = createClient({
      key: 'nc_pub_test', url: '${ingestUrl}', retryMinMs: 50, retryMaxMs: 100,
      onError: ({ code, lostEvents }) => errors.push({ code, lostEvents }), ${options}
    })
  </script>`
