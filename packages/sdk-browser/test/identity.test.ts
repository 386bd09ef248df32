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
})
