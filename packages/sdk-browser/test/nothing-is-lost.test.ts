import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { describeInChromium } from './chromium.ts'
import { openPage } from './open-page.ts'

const names = (count: number, from = 0) => Array.from({ length: count }, (_, index) => `e${index + from}`)

/** Tracks events `e<from>`, … in one go. */
const trackMany = (page: Page, count: number, from = 0) =>
  page.evaluate(
    (names) => {
      for (const name of names) window.client.track(name, { text: 'x'.repeat(100) })
    },
    names(count, from),
  )

const options = 'autocapture: false'

describeInChromium('nothing is lost', (browser) => {
  test('batches go in order, one at a time, without a preflight', async () => {
    const { page, server } = await openPage(browser(), { options })
    await trackMany(page, 250)
    await page.evaluate(() => window.client.flush())
    expect(server.stored.map(({ name }) => name)).toEqual(names(250))
    expect(server.mostAtOnce).toBe(1)
    for (const { ids, bytes, method, headers, body } of server.received) {
      expect(ids.length).toBeLessThanOrEqual(100)
      expect(bytes).toBeLessThan(64 * 1024)
      expect(method).toBe('POST')
      expect(headers['content-type']).toMatch(/^text\/plain/)
      expect(body).toMatchObject({ key: 'nc_pub_test', sentAt: expect.any(Number) })
    }
    const ids = server.stored.map(({ id }) => id!)
    expect(ids).toEqual([...new Set(ids)].sort())
  })

  test('events within batchMs share a request', async () => {
    const { page, server } = await openPage(browser(), { options: `${options}, batchMs: 500` })
    await page.evaluate(async () => {
      window.client.track('e0')
      await new Promise((resolve) => setTimeout(resolve, 10))
      window.client.track('e1')
    })
    await server.until(() => server.stored.length === 2)
    expect(server.received).toHaveLength(1)
  })

  test('a server that fails gets everything in order once it is back', async () => {
    const { page, server } = await openPage(browser(), { options })
    server.fail({ reset: true, store: true }, { status: 503, retryAfter: '1' }, { status: 429 })
    await trackMany(page, 150)
    await server.until(() => server.received.length > 0)
    await trackMany(page, 50, 150)
    await page.evaluate(() => window.client.flush())
    const [unanswered, refused, again] = server.received
    expect(refused!.ids).toEqual(unanswered!.ids)
    expect(again!.at - refused!.at).toBeGreaterThanOrEqual(990)
    expect(again!.ids).toEqual(refused!.ids)
    expect(server.counted().map(({ name }) => name)).toEqual(names(200))
    const codes = await page.evaluate(() => window.errors.map(({ code }) => code))
    expect(codes).toEqual(['unreachable', 'unavailable', 'unavailable'])
  })

  test('a reload in the middle of a batch loses nothing, and keeps the order', async () => {
    const { page, server } = await openPage(browser(), { options })
    server.fail({ delayMs: 300 }, { reset: true })
    await trackMany(page, 120)
    await server.until(() => server.received.length > 0)
    await page.evaluate(() => {
      window.client.track('e120')
      location.reload()
      window.client.track('e121')
    })
    await page.waitForFunction(() => window.client)
    await trackMany(page, 1, 122)
    await page.evaluate(() => window.client.flush())
    expect(server.counted().map(({ name }) => name)).toEqual(names(123))
    const users = new Set(server.stored.map(({ anonymousId, sessionId }) => `${anonymousId} ${sessionId}`))
    expect(users.size).toBe(1)
  })

  test('what waits while the server is down is sent by the next page', async () => {
    const { page, server, siteUrl } = await openPage(browser(), { options })
    server.fail(...Array(100).fill({ status: 503, retryAfter: '60' }))
    await trackMany(page, 400)
    await server.until(() => server.received.length > 0)
    await page.goto('about:blank')
    expect(server.stored).toEqual([])
    server.recover()
    await page.goto(siteUrl)
    await page.waitForFunction(() => window.client)
    await page.evaluate(() => window.client.flush())
    expect(server.counted().map(({ name }) => name)).toEqual(names(400))
  })

  test('a page that goes away leaves its events to the browser', async () => {
    // The timer of the batch must not send them first, and a navigation must not end the call that begins it.
    const { page, server } = await openPage(browser(), { options: `${options}, batchMs: 600_000` })
    await page.evaluate(() => {
      setTimeout(() => {
        for (let index = 0; index < 20; index++) window.client.track(`e${index}`)
        location.href = 'about:blank'
      })
    })
    await page.waitForURL('about:blank')
    await server.until(() => server.stored.length >= 20)
    expect(server.counted().map(({ name }) => name)).toEqual(names(20))
  })

  test('a full queue drops the oldest and tells how many', async () => {
    // The first batch is sent again by flush, when all others wait, however slow the machine is.
    const late = 'retryMinMs: 6e5, retryMaxMs: 6e5'
    const { page, server } = await openPage(browser(), {
      options: `${options}, ${late}, queueEvents: 10, batchEvents: 5`,
    })
    server.fail({ status: 503 })
    await trackMany(page, 5)
    await page.waitForFunction(() => window.errors.length === 1)
    await trackMany(page, 20, 5)
    await page.evaluate(() => window.client.flush())
    expect(server.counted().map(({ name }) => name)).toEqual([...names(5), ...names(5, 20)])
    await page.waitForFunction(() => window.errors.length === 2)
    expect(await page.evaluate(() => window.errors[1])).toEqual({ code: 'queue_full', lostEvents: 15 })
  })

  test('without storage everything works in memory', async () => {
    const before = () =>
      Object.defineProperty(window, 'localStorage', {
        get() {
          throw new DOMException('denied', 'SecurityError')
        },
      })
    const { page, server } = await openPage(browser(), { options, before })
    await trackMany(page, 10)
    await page.evaluate(() => window.client.flush())
    expect(server.stored.map(({ name }) => name)).toEqual(names(10))
    expect(new Set(server.stored.map(({ anonymousId }) => anonymousId)).size).toBe(1)
    expect(new Set(server.stored.map(({ sessionId }) => sessionId)).size).toBe(1)
  })

  test('a storage that is full changes nothing but what the next page knows', async () => {
    const before = () => {
      Storage.prototype.setItem = () => {
        throw new DOMException('full', 'QuotaExceededError')
      }
    }
    const { page, server } = await openPage(browser(), { options, before })
    await trackMany(page, 10)
    await page.evaluate(() => window.client.flush())
    expect(server.stored.map(({ name }) => name)).toEqual(names(10))
    expect(new Set(server.stored.map(({ anonymousId }) => anonymousId)).size).toBe(1)
  })

  test('events that waited longer than ids are remembered are not sent, but counted; a damaged one harms no other', async () => {
    const { page, server } = await openPage(browser(), { options })
    await page.evaluate(async () => {
      // So that it is the next page that finds them.
      await window.client.close()
      const save = (name: string, hoursAgo: number, json = JSON.stringify({ id: name, name, anonymousId: 'a' })) => {
        const ms = (Date.now() - hoursAgo * 3.6e6).toString(16).padStart(12, '0')
        const id = `${ms.slice(0, 8)}-${ms.slice(8)}-7000-8000-000000000000`
        localStorage.setItem(`nowcast.queue.nc_pub_test.${id}`, json)
      }
      save('old', 21)
      save('e1', 2)
      save('damaged', 3, '{"name":"cut o')
      save('e0', 19)
      localStorage.setItem('nowcast.queue.other_key.1', 'other')
    })
    await page.reload()
    await page.waitForFunction(() => window.client)
    await page.evaluate(() => window.client.flush())
    expect(server.stored.map(({ name }) => name)).toEqual(names(2))
    const lost = (await page.evaluate(() => window.errors)).filter(({ lostEvents }) => lostEvents)
    expect(lost).toEqual([
      { code: 'expired', lostEvents: 1 },
      { code: 'refused', lostEvents: 1 },
    ])
    const left = await page.evaluate(() => Object.keys(localStorage).filter((key) => key.includes('queue')))
    expect(left).toEqual(['nowcast.queue.other_key.1'])
  })
})
