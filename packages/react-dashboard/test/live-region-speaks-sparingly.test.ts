import type { Answer, LiveQuery, Point } from '@nowcast/protocol'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { bundleApp } from './bundle-app.ts'
import { hasChromium, launchChromium, openPage, RESULTS } from './chromium.ts'
import { startTestServer } from './server/start-test-server.ts'

const FOLDER = `${RESULTS}/many-charts`
const MINUTE = 60_000
const CHARTS = 5
/** Longer than charts wait for each other. */
const SETTLED_MS = 3000

describe.skipIf(!hasChromium())('live-region-speaks-sparingly', { timeout: 120_000 }, () => {
  let browser: Browser
  let server: Awaited<ReturnType<typeof startTestServer>>
  let page: Page
  /** Scores of minutes that are not as usual. */
  const scores = new Map<number, number>()

  /** Half an hour up to now, the same for each metric. */
  function answer(query: LiveQuery, now: number, boost: number): Answer {
    const metric = query.metric ?? 'events'
    const running = Math.floor(now / MINUTE) * MINUTE
    const points = Array.from({ length: 30 }, (_, index): Point => {
      const t = running - (29 - index) * MINUTE
      const score = scores.get(t)
      const v = t === running ? boost : score === undefined ? 40 : Math.max(0, 40 + 20 * score)
      if (t === running) return { t, v, partial: true }
      return score === undefined ? { t, v } : { t, v, anomaly: { score, expected: 40, low: 20, high: 60 } }
    })
    const base = { metric, asOf: now, approximate: false, tookMs: 1, timezone: 'UTC' }
    return { ...base, kind: 'series', granularity: 'minute', series: [{ key: null, points }] }
  }

  beforeAll(async () => {
    await bundleApp('many-charts-app', FOLDER)
    browser = await launchChromium()
    server = await startTestServer({ pageFolder: FOLDER, hasPolicy: false, makeAnswer: answer })
    server.state.now = Math.floor(Date.now() / MINUTE) * MINUTE + 10_000
    // What is unusual already when a page opens is no news.
    scores.set(running() - MINUTE, 9)
    page = (await openPage(browser)).page
    await page.addInitScript(() => {
      const said: string[] = []
      Object.assign(globalThis, { said })
      const look = (changes: MutationRecord[]) => {
        for (const { target } of changes) {
          const region = (target instanceof Element ? target : target.parentElement)?.closest('.nowcast-series [role]')
          if (region?.matches('[role="status"], [role="alert"], [aria-live]')) said.push(region.textContent ?? '')
        }
      }
      new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true })
    })
    await page.goto(server.url)
    await page
      .locator('.nowcast-line:not(.nowcast-partial)')
      .nth(CHARTS - 1)
      .waitFor({ state: 'attached', timeout: 30_000 })
  })
  afterAll(async () => {
    await browser.close()
    await server.stop()
  })

  function running(): number {
    return Math.floor(server.state.now / MINUTE) * MINUTE
  }

  /** The running minute ends with this score, and some deltas follow. */
  async function minuteEnds(score?: number) {
    if (score !== undefined) scores.set(running(), score)
    const before = await lines()
    server.tick({ ms: MINUTE, boost: 1 })
    for (let boost = 2; boost < 5; boost++) {
      server.tick({ ms: 1000, boost })
      await page.waitForTimeout(150)
    }
    const isMoved = async () => (await lines()).every((line, index) => line !== before[index])
    await vi.waitFor(async () => expect(await isMoved()).toBe(true), { timeout: 20_000, interval: 100 })
    await page.waitForTimeout(SETTLED_MS)
  }

  /** What is drawn of closed minutes, of each chart. */
  function lines(): Promise<(string | null)[]> {
    return page
      .locator('.nowcast-line:not(.nowcast-partial)')
      .evaluateAll((all) => all.map((line) => line.getAttribute('d')))
  }

  async function said(): Promise<string[]> {
    const texts = (await page.evaluate('globalThis.said.splice(0)')) as string[]
    return texts.filter((text) => text !== '')
  }

  it('says nothing of what was so when the page opened, and of usual minutes', async () => {
    await minuteEnds()
    expect(await said()).toEqual([])
  })

  it('says once, for all charts together, that something unusual begins, and no more at each delta', async () => {
    await minuteEnds(5)
    const [text, ...others] = await said()
    expect(others).toEqual([])
    expect(text).toMatch(/^(Errors|Purchases|Clicks|Events): Unusually high, 140\. .*\. \+1$/)
    expect(text?.match(/Unusually high/g)).toHaveLength(3)
  })

  it('is silent while it goes on, and of what is faint', async () => {
    await minuteEnds(6)
    await minuteEnds(2.4)
    expect(await said()).toEqual([])
  })

  it('says it again when it begins again', async () => {
    await minuteEnds(-4)
    expect((await said()).map((text) => text.match(/Unusually low/g)?.length)).toEqual([3])
  })
})
