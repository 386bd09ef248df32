/** Where the shop's visitors live; clocks without daylight saving are exact enough for a day's curve. */
export const COUNTRIES = [
  { country: 'US', weight: 26, utcOffsetHours: -6, locale: 'en-US' },
  { country: 'DE', weight: 13, utcOffsetHours: 1, locale: 'de-DE' },
  { country: 'GB', weight: 11, utcOffsetHours: 0, locale: 'en-GB' },
  { country: 'FR', weight: 8, utcOffsetHours: 1, locale: 'fr-FR' },
  { country: 'NL', weight: 5, utcOffsetHours: 1, locale: 'nl-NL' },
  { country: 'CA', weight: 5, utcOffsetHours: -5, locale: 'en-CA' },
  { country: 'ES', weight: 5, utcOffsetHours: 1, locale: 'es-ES' },
  { country: 'IT', weight: 5, utcOffsetHours: 1, locale: 'it-IT' },
  { country: 'BR', weight: 4, utcOffsetHours: -3, locale: 'pt-BR' },
  { country: 'IN', weight: 4, utcOffsetHours: 5.5, locale: 'en-IN' },
  { country: 'PL', weight: 3, utcOffsetHours: 1, locale: 'pl-PL' },
  { country: 'SE', weight: 3, utcOffsetHours: 1, locale: 'sv-SE' },
  { country: 'JP', weight: 3, utcOffsetHours: 9, locale: 'ja-JP' },
  { country: 'AU', weight: 3, utcOffsetHours: 10, locale: 'en-AU' },
  { country: 'CH', weight: 2, utcOffsetHours: 1, locale: 'de-CH' },
] as const
export type Audience = (typeof COUNTRIES)[number]

const CHROME = 'AppleWebKit/537.36 (KHTML, like Gecko) Chrome'
const SAFARI = 'AppleWebKit/605.1.15 (KHTML, like Gecko) Version'

/** Browsers, by how many visitors use them. */
export const USER_AGENTS = [
  {
    weight: 22,
    userAgent: `Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) ${SAFARI}/18.5 Mobile/15E148 Safari/604.1`,
  },
  { weight: 21, userAgent: `Mozilla/5.0 (Linux; Android 15; Pixel 8) ${CHROME}/138.0.0.0 Mobile Safari/537.36` },
  {
    weight: 8,
    userAgent: `Mozilla/5.0 (Linux; Android 14; SAMSUNG SM-S921B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36`,
  },
  { weight: 20, userAgent: `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${CHROME}/138.0.0.0 Safari/537.36` },
  { weight: 6, userAgent: `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${CHROME}/138.0.0.0 Safari/537.36 Edg/138.0.0.0` },
  { weight: 7, userAgent: `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${SAFARI}/18.5 Safari/605.1.15` },
  { weight: 5, userAgent: `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${CHROME}/138.0.0.0 Safari/537.36` },
  { weight: 4, userAgent: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0' },
  { weight: 2, userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' },
  { weight: 3, userAgent: `Mozilla/5.0 (iPad; CPU OS 17_7 like Mac OS X) ${SAFARI}/17.6 Mobile/15E148 Safari/604.1` },
  { weight: 1, userAgent: `Mozilla/5.0 (Linux; Android 14; SM-X710) ${CHROME}/138.0.0.0 Safari/537.36` },
] as const

export const BOTS = [
  {
    weight: 6,
    name: 'googlebot',
    userAgent: 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
  },
  { weight: 4, name: 'bingbot', userAgent: 'Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)' },
  { weight: 3, name: 'ahrefsbot', userAgent: 'Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)' },
  { weight: 2, name: 'gptbot', userAgent: 'Mozilla/5.0 (compatible; GPTBot/1.2; +https://openai.com/gptbot)' },
  { weight: 1, name: 'curl', userAgent: 'curl/8.5.0' },
] as const

/** Where visits come from; without a host they are direct. */
export const SOURCES = [
  { weight: 34, referrer: undefined, campaign: '' },
  { weight: 26, referrer: 'https://www.google.com/', campaign: '' },
  { weight: 12, referrer: 'https://www.google.com/', campaign: 'utm_source=google&utm_medium=cpc&utm_campaign=brand' },
  {
    weight: 9,
    referrer: 'https://www.instagram.com/',
    campaign: 'utm_source=instagram&utm_medium=social&utm_campaign=lookbook',
  },
  { weight: 8, referrer: undefined, campaign: 'utm_source=newsletter&utm_medium=email&utm_campaign=weekly' },
  { weight: 5, referrer: 'https://www.bing.com/', campaign: '' },
  { weight: 4, referrer: 'https://duckduckgo.com/', campaign: '' },
  { weight: 2, referrer: 'https://www.reddit.com/', campaign: '' },
] as const

/** Visits by local hour of the day. */
const HOURS = [
  0.35, 0.22, 0.15, 0.12, 0.12, 0.18, 0.35, 0.6, 0.85, 1.0, 1.1, 1.15, 1.2, 1.15, 1.1, 1.1, 1.15, 1.25, 1.4, 1.6, 1.7,
  1.5, 1.1, 0.65,
]
const MEAN = HOURS.reduce((sum, value) => sum + value, 0) / HOURS.length

/** How busy a country is at an instant; 1 is its mean over a day. */
export function activityOf({ utcOffsetHours }: Audience, atMs: number): number {
  const hour = (((atMs / 3_600_000 + utcOffsetHours) % 24) + 24) % 24
  const before = Math.floor(hour)
  const share = hour - before
  return (HOURS[before]! * (1 - share) + HOURS[(before + 1) % 24]! * share) / MEAN
}
