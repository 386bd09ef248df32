import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bundleApp } from './bundle-app.ts'
import { hasChromium, launchChromium, openPage, RESULTS } from './chromium.ts'
import { startTestServer } from './server/start-test-server.ts'

const FOLDER = `${RESULTS}/keyboard`
const WAIT = { timeout: 30_000 }

describe.skipIf(!hasChromium())('every control works by keyboard', { timeout: 120_000 }, () => {
  let browser: Browser
  let server: Awaited<ReturnType<typeof startTestServer>>
  let page: Page
  let complaints: string[]

  beforeAll(async () => {
    await bundleApp('states-app', FOLDER)
    browser = await launchChromium()
    server = await startTestServer({ pageFolder: FOLDER, hasPolicy: false })
    const opened = await openPage(browser, { reducedMotion: 'reduce' })
    page = opened.page
    complaints = opened.complaints
    page.setDefaultTimeout(WAIT.timeout)
    await page.goto(server.url)
    await page.locator('.nowcast-layer').first().waitFor({ state: 'attached' })
    await page.locator('.nowcast-event').nth(7).waitFor()
  })
  afterAll(async () => {
    expect(complaints).toEqual([])
    await browser.close()
    await server.stop()
  })

  /** Moves on with Tab until the focus is on a control whose text or label begins so. */
  async function tabTo(name: string | RegExp) {
    for (let count = 0; count < 80; count++) {
      await page.keyboard.press('Tab')
      const at = await page.evaluate(() => {
        const one = document.activeElement as HTMLElement | null
        return one?.getAttribute('aria-label') ?? one?.textContent ?? ''
      })
      if (typeof name === 'string' ? at.startsWith(name) : name.test(at)) return
    }
    throw new Error(`Tab never came to ${name}`)
  }

  /** The next round of Tab begins at the top. */
  async function toTop() {
    await page.evaluate(() => {
      const top = document.querySelector('h1') as HTMLElement
      top.tabIndex = -1
      top.focus()
    })
  }

  it('Tab comes to each of them, and each shows that it has the focus', async () => {
    await toTop()
    const controls = await page.evaluate(() => {
      const wanted = document.querySelectorAll('.nowcast :is(button:enabled, input, select, [tabindex="0"])')
      return [...wanted].map((one, index) => {
        one.setAttribute('data-control', String(index))
        return { place: String(index), html: one.outerHTML.slice(0, 120) }
      })
    })
    const reached = new Set<string>()
    const unseen: string[] = []
    for (let count = 0; count < 80; count++) {
      await page.keyboard.press('Tab')
      const at = await page.evaluate(() => {
        const one = document.activeElement
        if (!one || one === document.body) return undefined
        const { outlineStyle, outlineWidth } = getComputedStyle(one)
        const isSeen = outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 1
        return { place: one.getAttribute('data-control') ?? '', isSeen, html: one.outerHTML.slice(0, 120) }
      })
      if (!at || reached.has(at.place)) break
      reached.add(at.place)
      if (!at.isSeen) unseen.push(at.html)
    }
    expect(controls.length).toBeGreaterThan(20)
    expect(controls.filter(({ place }) => !reached.has(place))).toEqual([])
    expect(unseen).toEqual([])
  })

  it('a filter is opened, chosen, closed and taken back', async () => {
    await toTop()
    await tabTo('Country')
    await page.keyboard.press('Enter')
    await page.locator('.nowcast-filter-values label').first().waitFor()
    await page.keyboard.press('Tab')
    await page.keyboard.press('Space')
    await page.getByRole('button', { name: /^Country United States/ }).waitFor()
    await page.keyboard.press('Escape')
    await page.locator('.nowcast-filter-panel').waitFor({ state: 'detached' })
    expect(await page.evaluate(() => document.activeElement?.className)).toBe('nowcast-filter-button')
    await tabTo('Clear all')
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Clear all' }).waitFor({ state: 'detached' })
    // What was pressed is gone: the focus is where it was opened, not lost at the top of the page.
    expect(await page.evaluate(() => document.activeElement?.className)).toBe('nowcast-filter-button')
  })

  it('a chart is read bucket by bucket, zoomed and shown as a table', async () => {
    await toTop()
    await tabTo(/^Events\. Drag/)
    await page.keyboard.press('ArrowRight')
    await page.locator('.nowcast-tooltip').waitFor()
    const first = await page.locator('.nowcast-tooltip-time').textContent()
    await page.keyboard.press('ArrowRight')
    await page
      .locator('.nowcast-tooltip-time')
      .filter({ hasNotText: first as string })
      .waitFor()
    await page.keyboard.press('+')
    await page.getByRole('button', { name: 'Reset zoom' }).waitFor()
    await toTop()
    await tabTo('Reset zoom')
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Reset zoom' }).waitFor({ state: 'detached' })
    await toTop()
    await tabTo('Table')
    await page.keyboard.press('Space')
    await page.locator('.nowcast-table').waitFor()
    await page.keyboard.press('Space')
    await page.locator('.nowcast-table').waitFor({ state: 'detached' })
  })

  it('a row filters, and the feed of events stands still and opens', async () => {
    await toTop()
    await tabTo('Germany')
    await page.keyboard.press('Space')
    await page.getByRole('button', { name: /^Country Germany/ }).waitFor()
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-pressed'))).toBe('true')
    await page.keyboard.press('Space')
    await page.getByRole('button', { name: /^Country Germany/ }).waitFor({ state: 'detached' })
    await tabTo('Pause')
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: /^Resume/ }).waitFor()
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.locator('.nowcast-event-details').waitFor()
  })
})
