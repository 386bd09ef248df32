import { existsSync } from 'node:fs'

export const CHROMIUM = '/usr/bin/chromium'

/** False, and said so, where there is no browser to test with; with CI=true that is a failure. */
export function hasChromium(): boolean {
  if (existsSync(CHROMIUM)) return true
  if (process.env.CI === 'true')
    throw new Error(`The browser tests need ${CHROMIUM} (Debian: apt-get install chromium).`)
  process.stderr.write(`Skipped: ${CHROMIUM} is missing (Debian: apt-get install chromium).\n`)
  return false
}
