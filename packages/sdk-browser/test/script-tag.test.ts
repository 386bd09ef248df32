import { expect, test } from 'vitest'
import { describeInChromium } from './chromium.ts'
import { openPage } from './open-page.ts'

/** The stub of the README. */
const STUB = `{
    const stub = (window.nowcast = window.nowcast || { q: [] })
    stub.track = stub.track || ((...args) => stub.q.push(['track', ...args]))
  }`

describeInChromium('script tag', (browser) => {
  test('calls made before the script has loaded are replayed in order, under a strict CSP', async () => {
    const html = (ingestUrl: string) => `<!doctype html><title>Shop</title>
      <script nonce="test">${STUB}
        window.early = window.nowcast
        nowcast.track('early', { sku: 'A-1' })
        nowcast.q.push(['identify', 'u1'])
        ;(function () { window.early.q.push(arguments) })('track', 'identified')
      </script>
      <script async src="/nowcast.js" data-key="nc_pub_test" data-url="${ingestUrl}"></script>`
    const { page, server } = await openPage(browser(), { html })
    await page.waitForFunction(() => window.nowcast?.flush)
    await page.evaluate(() => {
      ;(window as unknown as { early: { q: unknown[] } }).early.q.push(['track', 'late'])
      window.nowcast.track('loaded')
      return window.nowcast.flush()
    })
    expect(server.stored.map(({ name }) => name)).toEqual(['page_view', 'early', 'identified', 'late', 'loaded'])
    expect(server.stored.map(({ userId }) => userId)).toEqual(Array(5).fill('u1'))
    expect(server.stored[1]!.properties).toEqual({ sku: 'A-1' })
    expect(server.received[0]!.body.key).toBe('nc_pub_test')
  })

  test('without data-url events go to the origin of the script, without a stub too', async () => {
    const html = () =>
      `<!doctype html><script src="/nowcast.js" data-key="nc_pub_test" data-autocapture="false"></script>`
    const { page, siteUrl } = await openPage(browser(), { html })
    const request = page.waitForRequest('**/v1/events')
    await page.evaluate(() => window.nowcast.track('e0'))
    expect((await request).url()).toBe(`${siteUrl}/v1/events`)
  })

  test('a script that is included twice makes one client', async () => {
    const tag = (ingestUrl: string) => `<script src="/nowcast.js" data-key="k" data-url="${ingestUrl}"></script>`
    const { page, server } = await openPage(browser(), { html: (url) => tag(url) + tag(url) })
    await page.evaluate(() => window.nowcast.flush())
    expect(server.stored.map(({ name }) => name)).toEqual(['page_view'])
  })

  test('every option is an attribute', async () => {
    const html = (ingestUrl: string) => `<!doctype html><title>Shop</title>
      <button data-nowcast-event="add_to_cart">Buy</button>
      <script src="/nowcast.js" data-key="nc_pub_test" data-url="${ingestUrl}" data-user-id="u1" data-clicks
        data-hash data-autocapture="false" data-cookieless="true" data-batch-ms="600000"></script>`
    const { page, server } = await openPage(browser(), { html })
    await page.click('button')
    expect(server.received).toEqual([])
    await page.evaluate(() => window.nowcast.flush())
    expect(server.stored.map(({ name, userId }) => `${name} ${userId}`)).toEqual(['add_to_cart u1'])
    expect(await page.evaluate(() => Object.keys(localStorage))).toEqual([])
  })
})
