import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { describeInChromium } from './chromium.ts'
import { openPage } from './open-page.ts'

const readme = readFileSync(path.join(import.meta.dirname, '../README.md'), 'utf8')

/** The snippets of one language, in order. */
const snippets = (language: string) =>
  [...readme.matchAll(/```(\w+)\n(.*?)```/gs)].filter(([, of]) => of === language).map(([, , code]) => code!)

describeInChromium('snippets of the README run', (browser) => {
  test('as a module', async () => {
    const [code] = snippets('ts')
    const html = (ingestUrl: string) =>
      `<!doctype html><title>Shop</title><script type="module" nonce="test">${code!
        .replace("'@nowcast/browser'", "'/index.js'")
        .replace('https://nowcast.example', ingestUrl)}
        window.isDone = true</script>`
    const { page, server } = await openPage(browser(), { html })
    await page.waitForFunction(() => (window as { isDone?: boolean }).isDone)
    expect(server.stored.map(({ name }) => name)).toEqual(['page_view', 'purchase', 'signup'])
    expect(server.stored[1]).toMatchObject({ revenue: '19.99', currency: 'EUR', properties: { sku: 'A-1' } })
    expect(server.stored[2]!.userId).toBe('u1')
  })

  test('as a script tag, with every verb before it has loaded', async () => {
    const [tag] = snippets('html')
    const html = (ingestUrl: string) =>
      `<!doctype html><title>Shop</title>${tag!
        .replace('<script>', '<script nonce="test">')
        .replace('src="https://nowcast.example/nowcast.js"', `src="/nowcast.js" data-url="${ingestUrl}"`)}
      <script nonce="test">
        nowcast.identify('u1')
        nowcast.track('early', { sku: 'A-1' })
        nowcast.page({ title: 'Step 2' })
        nowcast.reset()
        nowcast.track('stranger')
        nowcast.optOut()
        nowcast.track('never')
        nowcast.optIn()
        nowcast.track('again')
      </script>`
    const { page, server } = await openPage(browser(), { html })
    await page.waitForFunction(() => window.nowcast?.close)
    await page.evaluate(() => window.nowcast.flush())
    // What was queued before optOut is forgotten with it.
    expect(server.stored.map(({ name }) => name)).toEqual(['again'])
  })
})
