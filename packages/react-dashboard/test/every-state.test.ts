import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { axeViolations } from './axe-violations.ts'
import { bundleApp } from './bundle-app.ts'
import { hasChromium, launchChromium, openPage, RESULTS, type WatchedPage } from './chromium.ts'
import { startTestServer } from './server/start-test-server.ts'

const FOLDER = `${RESULTS}/states`
const WAIT = { timeout: 30_000 }
/** What has figures, and so a state. */
const FIGURES = '.nowcast:is(.nowcast-tile, .nowcast-series, .nowcast-breakdown, .nowcast-funnel, .nowcast-recent)'
const COUNT = 11

/** What the browser says has moved by itself. */
interface LayoutShift {
  value: number
  sources: { node: Node | null; previousRect: DOMRect; currentRect: DOMRect }[]
}

describe.skipIf(!hasChromium())('every component in each of its states', { timeout: 120_000 }, () => {
  let browser: Browser
  let server: Awaited<ReturnType<typeof startTestServer>>
  let opened: WatchedPage
  let page: Page

  beforeAll(async () => {
    await bundleApp('states-app', FOLDER)
    browser = await launchChromium()
  })
  afterAll(() => browser.close())
  beforeEach(async () => {
    server = await startTestServer({ pageFolder: FOLDER, hasPolicy: false })
    opened = await openPage(browser)
    page = opened.page
  })
  afterEach(async () => {
    await page.context().close()
    await server.stop()
  })

  async function untilAll(status: string) {
    await page
      .locator(`${FIGURES}[data-status="${status}"]`)
      .nth(COUNT - 1)
      .waitFor(WAIT)
    expect(await page.locator(FIGURES).count()).toBe(COUNT)
  }

  async function untilDrawn() {
    await untilAll('live')
    await page.locator('.nowcast-compared[d^="M"]').waitFor({ state: 'attached', ...WAIT })
    await page
      .locator('.nowcast-layer')
      .first()
      .waitFor({ state: 'attached', ...WAIT })
  }

  /** Both themes, and a picture of each. */
  async function expectAccessible(state: string) {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      expect(await axeViolations(page), `${state}, ${colorScheme}`).toEqual([])
      await opened.screenshot(`state-${state}-${colorScheme}`)
    }
  }

  function heights(): Promise<number[]> {
    return page.locator(FIGURES).evaluateAll((all) => all.map((one) => Math.round(one.getBoundingClientRect().height)))
  }

  it('loading, then with figures: accessible, and nothing moves when they come', async () => {
    server.state.isSilent = true
    await page.goto(server.url)
    await untilAll('loading')
    await expectAccessible('loading')
    const before = await heights()
    await page.evaluate(() => {
      const shifts: string[] = []
      Object.assign(globalThis, { shifts })
      new PerformanceObserver((list) => {
        for (const { value, sources } of list.getEntries() as unknown as LayoutShift[]) {
          for (const { node, previousRect: from, currentRect: to } of sources) {
            const name = node instanceof Element ? node.outerHTML.slice(0, 90) : node?.textContent
            shifts.push(`${value.toFixed(4)}: ${name} ${from.x},${from.y} → ${to.x},${to.y}`)
          }
        }
      }).observe({ type: 'layout-shift', buffered: false })
    })
    server.speak()
    await untilDrawn()
    expect(await heights()).toEqual(before)
    expect(await page.evaluate('globalThis.shifts')).toEqual([])
    await expectAccessible('figures')
    expect(opened.complaints).toEqual([])
  })

  it('empty: says so, and how to send an event', async () => {
    server.state.isEmpty = true
    await page.goto(server.url)
    await untilAll('live')
    await page.locator('.nowcast-empty').nth(5).waitFor(WAIT)
    expect(await page.locator('.nowcast-empty').first().textContent()).toMatch(
      /No events in this period yet.*nowcast\./,
    )
    await expectAccessible('empty')
    expect(opened.complaints).toEqual([])
  })

  it('error: says what went wrong, and what to do', async () => {
    server.state.failure = { code: 'query_timeout', message: 'The question took longer than 10 s.' }
    await page.goto(server.url)
    await untilAll('error')
    const message = await page.locator('.nowcast-breakdown .nowcast-message').first().textContent()
    expect(message).toBe(
      'The question took longer than 10 s. That took too long. Choose a shorter period or fewer filters. query_timeout',
    )
    await expectAccessible('error')
  })

  it('offline, and back; stale while the server is away: never an old figure as a new one', async () => {
    await page.goto(server.url)
    await untilDrawn()
    await page.context().setOffline(true)
    await page.getByText('Offline', { exact: true }).waitFor(WAIT)
    await untilAll('stale')
    await page
      .locator('.nowcast-stale-note')
      .nth(COUNT - 1)
      .waitFor(WAIT)
    await expectAccessible('offline')
    await page.context().setOffline(false)
    await untilAll('live')
    expect(await page.locator('.nowcast-stale-note').count()).toBe(0)

    const port = Number(new URL(server.url).port)
    await server.stop()
    await page.getByText('Reconnecting', { exact: true }).waitFor(WAIT)
    await untilAll('stale')
    await expectAccessible('stale')
    server = await startTestServer({ pageFolder: FOLDER, hasPolicy: false, port })
    await untilAll('live')
  })
})
