import { expect, test } from 'vitest'
import { describeInChromium } from './chromium.ts'
import { openPage } from './open-page.ts'

const options = 'autocapture: false'

describeInChromium('identity', (browser) => {
  test('a user stays known over pages until reset, which makes a new visitor', async () => {
    const { page, server } = await openPage(browser(), { options })
    await page.evaluate(() => {
      window.client.track('before')
      window.client.identify('u1', { plan: 'pro' })
      window.client.track('identified')
      return window.client.flush()
    })
    await page.reload()
    await page.waitForFunction(() => window.client)
    await page.evaluate(() => {
      window.client.track('reloaded')
      window.client.reset()
      window.client.track('reset')
      return window.client.flush()
    })
    const [before, identified, reloaded, reset, ...more] = server.stored
    expect(more).toEqual([])
    expect(before!.userId).toBeUndefined()
    expect(identified!.userId).toBe('u1')
    expect(reloaded!.userId).toBe('u1')
    expect(reset!.userId).toBeUndefined()
    expect(identified!.anonymousId).toBe(before!.anonymousId)
    expect(reloaded!.anonymousId).toBe(before!.anonymousId)
    expect(reset!.anonymousId).not.toBe(before!.anonymousId)
    expect(reset!.sessionId).not.toBe(before!.sessionId)
  })

  test('a session ends after 30 quiet minutes, counted from its last event', async () => {
    const { page, server } = await openPage(browser(), { options })
    await page.evaluate(() => {
      const now = Date.now()
      const minutes = (count: number) => {
        Date.now = () => now + count * 60_000
      }
      for (const minute of [0, 29, 58, 89]) {
        minutes(minute)
        window.client.track('e')
      }
      minutes(0)
      return window.client.flush()
    })
    const [first, second, third, fourth] = server.stored.map(({ sessionId }) => sessionId)
    expect(second).toBe(first)
    expect(third).toBe(first)
    expect(fourth).not.toBe(first)
  })

  test('optOut sends nothing more, forgets visitor and queue, and holds on the next page, until optIn', async () => {
    const { page, server } = await openPage(browser())
    await server.until(() => server.stored.length === 1)
    await page.evaluate(() => {
      window.client.track('unsent')
      window.client.optOut()
      window.client.track('opted out')
      history.pushState({}, '', '/opted-out')
      return window.client.flush()
    })
    expect(await page.evaluate(() => Object.keys(localStorage))).toEqual(['nowcast.optedOut'])
    await page.reload()
    await page.waitForFunction(() => window.client)
    await page.evaluate(() => {
      window.client.track('still opted out')
      window.client.optIn()
      window.client.track('opted in')
      return window.client.flush()
    })
    expect(server.stored.map(({ name }) => name)).toEqual(['page_view', 'opted in'])
  })

  test('neither midnight nor a campaign splits a session', async () => {
    const { page, server } = await openPage(browser(), { options })
    await page.evaluate(() => {
      const midnight = new Date(2030, 0, 2).getTime()
      for (const minute of [-10, -1, 1, 10]) {
        Date.now = () => midnight + minute * 60_000
        history.replaceState({}, '', `/?utm_campaign=${minute}`)
        window.client.track('e')
      }
      return window.client.flush()
    })
    expect(server.stored).toHaveLength(4)
    expect(new Set(server.stored.map(({ sessionId }) => sessionId)).size).toBe(1)
  })

  test('cookieless stores nothing on the device: a visitor is one load of the page', async () => {
    const { page, context, server } = await openPage(browser(), { options: 'cookieless: true' })
    const stored = async () => [
      await page.evaluate(async () => [
        Object.keys(localStorage),
        Object.keys(sessionStorage),
        document.cookie,
        await indexedDB.databases(),
      ]),
      await context.cookies(),
    ]
    server.fail({ status: 503 })
    await page.evaluate(() => window.client.track('e0'))
    await server.until(() => server.received.length > 0)
    expect(await stored()).toEqual([[[], [], '', []], []])
    await page.evaluate(() => window.client.flush())
    await page.reload()
    await page.waitForFunction(() => window.client)
    await page.evaluate(() => window.client.flush())
    expect(await stored()).toEqual([[[], [], '', []], []])
    const [view, e0, next] = server.counted()
    expect(e0).toMatchObject({ anonymousId: view!.anonymousId, sessionId: view!.sessionId })
    expect(next!.name).toBe('page_view')
    expect(next!.anonymousId).not.toBe(view!.anonymousId)
  })

  test('cookieless still remembers optOut', async () => {
    const { page, server } = await openPage(browser(), { options: 'cookieless: true, autocapture: false' })
    await page.evaluate(() => window.client.optOut())
    await page.reload()
    await page.waitForFunction(() => window.client)
    await page.evaluate(() => {
      window.client.track('opted out')
      return window.client.flush()
    })
    expect(server.received).toEqual([])
  })

  for (const [name, option, signal] of [
    ['Global Privacy Control', 'respectGpc', { globalPrivacyControl: true }],
    ['Do Not Track', 'respectDnt', { doNotTrack: '1' }],
  ] as const) {
    test(`${name} is respected when asked for`, async () => {
      const send = async (options: string) => {
        const { page, server } = await openPage(browser(), {
          options,
          before: `for (const [name, value] of Object.entries(${JSON.stringify(signal)}))
            Object.defineProperty(Navigator.prototype, name, { get: () => value })`,
        })
        await page.evaluate(() => {
          window.client.track('e0')
          return window.client.flush()
        })
        const keys = await page.evaluate(() => Object.keys(localStorage))
        return [server.counted().length, keys.length]
      }
      expect(await send(`${option}: true`)).toEqual([0, 0])
      expect(await send('')).toEqual([2, 2])
    })
  }
})
