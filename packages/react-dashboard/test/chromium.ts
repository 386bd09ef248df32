import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

const PATH = '/usr/bin/chromium'

/** Where pages are built to and screenshots are put; not kept in the repository. */
export const RESULTS = fileURLToPath(new URL('../test-results', import.meta.url))

/** False, and said so, where there is no browser to test with; with CI=true that is a failure. */
export function hasChromium(): boolean {
  if (existsSync(PATH)) return true
  if (process.env.CI === 'true') throw new Error(`The browser tests need ${PATH} (Debian: apt-get install chromium).`)
  process.stderr.write(`Browser tests skipped: ${PATH} is missing (Debian: apt-get install chromium).\n`)
  return false
}

export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: PATH,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  })
}

export interface WatchedPage {
  page: Page
  /** What the page reported as wrong so far. */
  complaints: string[]
  screenshot(name: string): Promise<void>
}

/** Opens a page of its own context, and notes its warnings and errors. */
export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<WatchedPage> {
  const context = await browser.newContext({
    locale: 'en-US',
    timezoneId: 'Europe/Berlin',
    viewport: { width: 1320, height: 900 },
    colorScheme: 'light',
    ...options,
  })
  const page = await context.newPage()
  page.setDefaultTimeout(8000)
  const complaints: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  return {
    page,
    complaints,
    async screenshot(name) {
      await mkdir(RESULTS, { recursive: true })
      await page.screenshot({ path: `${RESULTS}/${name}.png`, fullPage: true })
    },
  }
}
