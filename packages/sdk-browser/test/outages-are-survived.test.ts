import type { BrowserContext, Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { describeInChromium } from './chromium.ts'
import { openPage } from './open-page.ts'

const names = (count: number, from = 0) => Array.from({ length: count }, (_, index) => `e${index + from}`)

/** Tracks events `e<from>`, … in one go. */
const trackMany = (page: Page, count: number, from = 0) =>
  page.evaluate(
    (names) => {
      for (const name of names) window.client.track(name)
    },
    names(count, from),
  )

const openTab = async (context: BrowserContext, url: string) => {
  const page = await context.newPage()
  await page.goto(url)
  await page.waitForFunction(() => window.client)
  return page
}

const flush = (page: Page) => page.evaluate(() => window.client.flush())

/** So long that only what is tested can end the wait. */
const PATIENT = 'autocapture: false, batchMs: 600_000'
const options = 'autocapture: false'

describeInChromium('outages are survived', (browser) => {
  test('what was tracked just before a tab crashes is sent by the next page', async () => {
    const { page, context, server, siteUrl } = await openPage(browser(), { options: PATIENT })
    await trackMany(page, 20)
    const crashed = page.waitForEvent('crash')
    await Promise.all([crashed, page.goto('chrome://crash').catch(() => {})])
    expect(server.stored).toEqual([])
    await flush(await openTab(context, siteUrl))
    expect(server.counted().map(({ name }) => name)).toEqual(names(20))
  })

  test('a tab that is closed while the server is away loses nothing', async () => {
    const { page, context, server, siteUrl } = await openPage(browser(), { options })
    await server.down()
    await trackMany(page, 150)
    await page.waitForFunction(() => window.errors.length > 0)
    await page.close()
    await server.up()
    const next = await openTab(context, siteUrl)
    await trackMany(next, 1, 150)
    await flush(next)
    expect(server.counted().map(({ name }) => name)).toEqual(names(151))
  })

  test('a tab that is idle sends what a crashed one has left', async () => {
    const { page, context, server, siteUrl } = await openPage(browser(), { options })
    await openTab(context, siteUrl)
    server.outage = { status: 503 }
    await trackMany(page, 20)
    await server.until(() => server.received.length > 0)
    await Promise.all([page.waitForEvent('crash'), page.goto('chrome://crash').catch(() => {})])
    server.recover()
    await server.until(() => server.counted().length === 20)
    expect(server.counted().map(({ name }) => name)).toEqual(names(20))
  })

  test('what is tracked offline is sent as soon as the browser is online', async () => {
    const { page, context, server } = await openPage(browser(), {
      options: `${options}, retryMinMs: 6e5, retryMaxMs: 6e5`,
    })
    await context.setOffline(true)
    await trackMany(page, 30)
    await page.waitForFunction(() => window.errors.length > 0)
    await trackMany(page, 120, 30)
    await context.setOffline(false)
    await server.until(() => server.counted().length === 150)
    expect(server.counted().map(({ name }) => name)).toEqual(names(150))
    expect(server.stored).toHaveLength(150)
  })

  test('while the server is down for a while everything waits, and goes in order when it is up', async () => {
    const { page, server } = await openPage(browser(), { options })
    await trackMany(page, 10)
    await flush(page)
    await server.down()
    for (let second = 0; second < 3; second++) {
      await trackMany(page, 50, 10 + second * 50)
      await page.waitForTimeout(1000)
    }
    await server.up()
    await flush(page)
    expect(server.counted().map(({ name }) => name)).toEqual(names(160))
    const codes = new Set(await page.evaluate(() => window.errors.map(({ code }) => code)))
    expect([...codes]).toEqual(['unreachable'])
  })

  test('two tabs send every event once, each in its order, over a server that fails', async () => {
    const { page, context, server, siteUrl } = await openPage(browser(), { options })
    // Two tabs that make the visitor in the same millisecond would make two: storages of tabs take a moment.
    await page.evaluate(() => window.client.track('visitor'))
    await flush(page)
    const other = await openTab(context, siteUrl)
    const fault = [{ reset: true, store: true }, { status: 503 }, {}, { status: 429 }, { reset: true }, {}]
    server.fail(...fault, ...fault, ...fault)
    for (let from = 0; from < 200; from += 20) {
      await Promise.all([trackMany(page, 20, from), trackMany(other, 20, 1000 + from)])
    }
    await Promise.all([flush(page), flush(other)])
    const counted = server.counted().map(({ name }) => +name.slice(1))
    expect(counted.filter((number) => number < 1000)).toEqual([...Array(200).keys()])
    expect(counted.filter((number) => number >= 1000)).toEqual([...Array(200).keys()].map((number) => number + 1000))
    expect(new Set(server.stored.map(({ anonymousId, sessionId }) => `${anonymousId} ${sessionId}`)).size).toBe(1)
  })

  test('what a visitor does in one tab and then in another arrives in that order', async () => {
    const { page, context, server, siteUrl } = await openPage(browser(), { options })
    server.outage = { status: 503 }
    const other = await openTab(context, siteUrl)
    for (let index = 0; index < 20; index++) {
      await trackMany(index % 2 ? other : page, 1, index)
      // Between tabs a storage takes a moment.
      for (const tab of [page, other]) {
        await tab.waitForFunction(
          (count) => Object.keys(localStorage).filter((key) => key.includes('queue')).length === count,
          index + 1,
        )
      }
    }
    server.recover()
    await Promise.all([flush(other), flush(page)])
    expect(server.counted().map(({ name }) => name)).toEqual(names(20))
  })

  test('a storage that is really full costs nothing but what the next page knows', async () => {
    const { page, server } = await openPage(browser(), { options })
    server.outage = { status: 503 }
    await trackMany(page, 10)
    await page.evaluate(() => {
      let text = 'x'.repeat(4_000_000)
      for (let index = 0; text; index++) {
        try {
          localStorage.setItem(`filler${index}`, text)
        } catch {
          text = text.slice(text.length >> 1 || 1)
        }
      }
    })
    await trackMany(page, 90, 10)
    server.recover()
    await flush(page)
    expect(server.counted().map(({ name }) => name)).toEqual(names(100))
    expect(new Set(server.stored.map(({ sessionId }) => sessionId)).size).toBe(1)
  })

  test('a clock that is wrong by a day is the same in what happened and in what was sent, also when it is set right', async () => {
    const before = () => {
      const real = Date.now
      Date.now = () => real() + ((window as { wrongBy?: number }).wrongBy ?? 86_400_000)
    }
    const { page, server } = await openPage(browser(), { options, before })
    server.fail({ status: 503 }, { reset: true, store: true })
    await trackMany(page, 10)
    await flush(page)
    const { body } = server.received.at(-1)!
    expect(Math.abs(body.sentAt! - Date.now() - 86_400_000)).toBeLessThan(60_000)
    expect(Math.abs(body.sentAt! - Number(body.events[0]!.timestamp))).toBeLessThan(60_000)
    server.outage = { status: 503 }
    await trackMany(page, 10, 10)
    for (const [index, wrongBy] of [0, -86_400_000, 0].entries()) {
      await page.evaluate((wrongBy) => void Object.assign(window, { wrongBy }), wrongBy)
      await trackMany(page, 10, 20 + index * 10)
    }
    server.recover()
    await flush(page)
    expect(server.counted().map(({ name }) => name)).toEqual(names(50))
  })

  test('a page whose clock is right keeps its events behind those of a page whose clock was ahead', async () => {
    const before = () => {
      const real = Date.now
      if (!localStorage.getItem('isRight')) Date.now = () => real() + 86_400_000
    }
    const { page, server, siteUrl } = await openPage(browser(), { options, before })
    server.outage = { status: 503 }
    await trackMany(page, 10)
    await page.evaluate(() => localStorage.setItem('isRight', 'yes'))
    await page.goto(siteUrl)
    await page.waitForFunction(() => window.client)
    await trackMany(page, 10, 10)
    server.recover()
    await flush(page)
    expect(server.counted().map(({ name }) => name)).toEqual(names(20))
  })

  test('a batch that is too large is split in order', async () => {
    const { page, server } = await openPage(browser(), { options })
    server.largestBatch = 15
    await trackMany(page, 100)
    await flush(page)
    expect(server.stored.map(({ name }) => name)).toEqual(names(100))
    expect(await page.evaluate(() => window.errors)).toEqual([])
  })

  test('a page leaves what fits to the browser, in a piece below 64 KB, and the rest to the next page', async () => {
    const { page, server, siteUrl } = await openPage(browser(), {
      options: PATIENT.replace('600_000', '6e5, batchEvents: 1000'),
    })
    await page.evaluate(() => {
      setTimeout(() => {
        for (let index = 0; index < 300; index++) window.client.track(`e${index}`, { text: 'ü'.repeat(300) })
        location.href = 'about:blank'
      })
    })
    await page.waitForURL('about:blank')
    await server.until(() => server.received.length > 0)
    for (const { bytes } of server.received) expect(bytes).toBeLessThan(64 * 1024)
    expect(server.counted().map(({ name }) => name)).toEqual(names(server.counted().length))
    await page.goto(siteUrl)
    await page.waitForFunction(() => window.client)
    await flush(page)
    expect(server.counted().map(({ name }) => name)).toEqual(names(300))
  })
})
