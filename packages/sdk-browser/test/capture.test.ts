import { expect, test } from 'vitest'
import { describeInChromium } from './chromium.ts'
import { openPage } from './open-page.ts'

describeInChromium('capture', (browser) => {
  test('page views follow history navigation, each path once', async () => {
    const { page, server, siteUrl } = await openPage(browser())
    await page.evaluate(() => {
      history.pushState({}, '', '/shoes')
      history.replaceState({}, '', '/shoes?size=42')
      document.title = 'Cart'
      history.pushState({}, '', '/cart')
      history.replaceState({}, '', '/checkout')
    })
    await page.goBack()
    await page.waitForURL('**/shoes?size=42')
    await page.evaluate(() => window.client.flush())
    expect(server.stored.map(({ name }) => name)).toEqual(Array(5).fill('page_view'))
    expect(server.stored.map(({ url }) => url!.slice(siteUrl.length))).toEqual([
      '/',
      '/shoes',
      '/cart',
      '/checkout',
      '/shoes?size=42',
    ])
    expect(server.stored.map(({ referrer }) => referrer!.slice(siteUrl.length))).toEqual([
      '',
      '/',
      '/shoes',
      '/cart',
      '/checkout',
    ])
    expect(server.stored.map(({ title }) => title)).toEqual(['Shop', 'Shop', 'Cart', 'Cart', 'Cart'])
    for (const event of server.stored) expect(event).not.toHaveProperty('context')
  })

  test('history works as before after close, and nothing is tracked any more', async () => {
    const { page, server } = await openPage(browser())
    await page.evaluate(async () => {
      await window.client.close()
      history.pushState({}, '', '/after')
      window.client.track('after')
      await window.client.flush()
    })
    expect(await page.evaluate(() => location.pathname)).toBe('/after')
    expect(server.stored.map(({ name }) => name)).toEqual(['page_view'])
    expect(await page.evaluate(() => /native code/.test(String(history.pushState)))).toBe(true)
  })

  test('clicks on marked elements and uncaught errors are tracked when asked for', async () => {
    const { page, server } = await openPage(browser(), { options: 'autocapture: false, clicks: true, errors: true' })
    await page.click('b')
    await page.click('#plain')
    await page.evaluate(() => {
      setTimeout(() => {
        throw new TypeError('expected in a timer')
      })
      void Promise.reject(new Error('expected in a promise'))
      document.body.append(Object.assign(new Image(), { src: 'data:,' }))
    })
    await server.until(() => server.stored.length === 3)
    const [click, ...errors] = server.stored
    expect(click).toMatchObject({ name: 'add_to_cart' })
    expect(errors.map(({ name }) => name)).toEqual(['error', 'error'])
    const messages = errors.map(({ properties }) => properties!.message)
    expect(messages.sort()).toEqual(['expected in a promise', 'expected in a timer'])
    for (const { properties } of errors) expect(properties!.stack).toContain('expected in a')
  })

  test('they are not when not asked for', async () => {
    const { page, server } = await openPage(browser(), { options: 'autocapture: false' })
    await page.click('b')
    await page.evaluate(() => {
      setTimeout(() => {
        throw new TypeError('expected in a timer')
      })
      return new Promise((resolve) => setTimeout(resolve, 100))
    })
    expect(server.received).toEqual([])
  })

  test('known fields are lifted, and url goes along', async () => {
    const { page, server, siteUrl } = await openPage(browser(), { options: 'autocapture: false' })
    await page.evaluate(() => {
      window.client.track('purchase', { revenue: '19.99', currency: 'EUR', category: 'shoes', sku: 'A-1' })
      const loop: Record<string, unknown> = {}
      loop.self = loop
      window.client.track('loop', loop)
      return window.client.flush()
    })
    expect(server.stored).toEqual([
      {
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        name: 'purchase',
        timestamp: expect.any(Number),
        url: `${siteUrl}/`,
        anonymousId: expect.any(String),
        sessionId: expect.any(String),
        revenue: '19.99',
        currency: 'EUR',
        category: 'shoes',
        properties: { sku: 'A-1' },
      },
    ])
    expect(await page.evaluate(() => window.errors)).toEqual([{ code: 'invalid_event', lostEvents: 1 }])
  })

  test('fragments are pages when asked for, and are told', async () => {
    const { page, server } = await openPage(browser(), { options: 'hash: true' })
    await page.evaluate(() => {
      history.pushState({}, '', '#/cart')
      location.hash = '#/checkout'
    })
    await server.until(() => server.stored.length === 3)
    expect(server.stored.map(({ properties }) => properties!.hash)).toEqual(['', '#/cart', '#/checkout'])
  })

  test('fragments are no pages when not asked for', async () => {
    const { page, server } = await openPage(browser())
    await page.evaluate(() => {
      history.pushState({}, '', '#/cart')
      return window.client.flush()
    })
    expect(server.stored).toHaveLength(1)
    expect(server.stored[0]).not.toHaveProperty('properties')
  })

  test('a page that comes back from the back/forward cache is viewed again', async () => {
    const { page, server } = await openPage(browser())
    await page.evaluate(() => {
      window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: false }))
      window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))
      return window.client.flush()
    })
    expect(server.stored.map(({ name }) => name)).toEqual(['page_view', 'page_view'])
  })

  test('a page that is only prepared sends nothing until it is seen', async () => {
    const before = () =>
      Object.defineProperty(document, 'prerendering', {
        get: () => !(window as { isSeen?: boolean }).isSeen,
      })
    const { page, server } = await openPage(browser(), { before })
    await page.evaluate(() => {
      window.client.track('e0')
      return window.client.flush()
    })
    expect(server.received).toEqual([])
    expect(await page.evaluate(() => Object.keys(localStorage))).toEqual([])
    await page.evaluate(() => {
      Object.assign(window, { isSeen: true })
      document.dispatchEvent(new Event('prerenderingchange'))
      window.client.track('e1')
      return window.client.flush()
    })
    expect(server.stored.map(({ name }) => name)).toEqual(['page_view', 'e0', 'e1'])
  })

  test('an error is tracked once however often it happens, and 20 of a page at most', async () => {
    const { page, server } = await openPage(browser(), { options: 'autocapture: false, errors: true' })
    await page.evaluate(async () => {
      for (let index = 0; index < 60; index++) {
        const message = `expected ${index >> 1}`
        window.dispatchEvent(new ErrorEvent('error', { message, filename: 'shop.js', lineno: 1 }))
      }
      await window.client.flush()
    })
    const messages = server.stored.map(({ properties }) => properties!.message)
    expect(messages).toEqual(Array.from({ length: 20 }, (_, index) => `expected ${index}`))
  })

  test('an event that the server refuses is told with its reason', async () => {
    const { page, server } = await openPage(browser(), {
      options:
        'autocapture: false, onRejected: ({ code }, event) => errors.push({ code, lostEvents: event.properties.sku })',
    })
    await page.evaluate(() => {
      window.client.track('good')
      window.client.track('bad', { sku: 7 })
      window.client.track('good')
      return window.client.flush()
    })
    expect(server.stored.map(({ name }) => name)).toEqual(['good', 'good'])
    expect(await page.evaluate(() => window.errors)).toEqual([{ code: 'invalid_name', lostEvents: 7 }])
  })
})
