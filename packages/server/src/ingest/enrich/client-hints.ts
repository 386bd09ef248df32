import type { Device } from '@nowcast/protocol'

/** What `Sec-CH-UA`, `-Mobile` and `-Platform` say, or `navigator.userAgentData`. */
export interface ClientHints {
  /** Names of `Sec-CH-UA`: `Chromium`, `Google Chrome`. */
  brands: readonly string[]
  mobile: boolean
  /** '' when unknown. */
  platform: string
}

const BRAND = /"((?:[^"\\]|\\.){1,64})"\s*;\s*v=/g
const BROWSER_BY_BRAND: Record<string, string> = {
  'Google Chrome': 'Chrome',
  'Microsoft Edge': 'Microsoft Edge',
  'Opera GX': 'Opera',
  YaBrowser: 'Yandex Browser',
  'Samsung Internet': 'Samsung Internet for Android',
}
const PLAIN_BRANDS = ['Opera', 'Brave', 'Vivaldi', 'DuckDuckGo', 'HeadlessChrome']
const OS_BY_PLATFORM: Record<string, string> = { 'Chrome OS': 'Chrome OS', 'Chromium OS': 'Chrome OS' }
const KNOWN_OS = ['Windows', 'macOS', 'Linux', 'Android', 'iOS']

/** The hints of request headers; undefined without them. */
export function hintsOfHeaders(header: (name: string) => string | undefined): ClientHints | undefined {
  const brands = header('sec-ch-ua')?.slice(0, 512)
  if (!brands) return undefined
  return {
    brands: Array.from(brands.matchAll(BRAND), ([, brand]) => brand as string),
    mobile: header('sec-ch-ua-mobile') === '?1',
    platform: header('sec-ch-ua-platform')?.slice(0, 64).replaceAll('"', '') ?? '',
  }
}

/** Browser, system and device where the hints say them; what they leave open, the User-Agent decides. */
export function factsOfHints({ brands, mobile, platform }: ClientHints): {
  browser?: string
  os?: string
  device?: Device
} {
  const facts: { browser?: string; os?: string; device?: Device } = {}
  for (const brand of brands) {
    const browser = BROWSER_BY_BRAND[brand] ?? (PLAIN_BRANDS.includes(brand) ? brand : undefined)
    if (browser) facts.browser = browser
  }
  if (facts.browser === 'HeadlessChrome') facts.device = 'bot'
  const os = OS_BY_PLATFORM[platform] ?? (KNOWN_OS.includes(platform) ? platform : undefined)
  if (os) facts.os = os
  if (facts.device) return facts
  if (mobile) facts.device = 'mobile'
  else if (os === 'Android') facts.device = 'tablet'
  else if (os && os !== 'iOS') facts.device = 'desktop'
  return facts
}
