import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'
import { afterAll, beforeAll, describe } from 'vitest'

const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'
const isMissing = !existsSync(executablePath)
const reason = `Chromium is not at ${executablePath}: install it, or set CHROMIUM_PATH`

/** A suite that runs in a real Chromium; without one it fails where CI=true, and is skipped elsewhere. */
export function describeInChromium(name: string, suite: (browser: () => Browser) => void): void {
  if (isMissing && process.env.CI === 'true') throw new Error(reason)
  if (isMissing) process.stderr.write(`skipped: ${name}: ${reason}\n`)
  describe.skipIf(isMissing)(name, () => {
    let browser: Browser
    beforeAll(async () => {
      const args = ['--no-sandbox', '--disable-gpu', '--disable-background-networking']
      browser = await chromium.launch({ executablePath, args })
    })
    afterAll(() => browser?.close())
    suite(() => browser)
  })
}
