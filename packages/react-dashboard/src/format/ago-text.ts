const formats = new Map<string | undefined, Intl.RelativeTimeFormat>()
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** How long ago, in few characters: `12s ago`, `3m ago`. */
export function agoText(elapsedMs: number, locale?: string): string {
  let format = formats.get(locale)
  if (!format) {
    format = new Intl.RelativeTimeFormat(locale, { style: 'narrow', numeric: 'always' })
    formats.set(locale, format)
  }
  const elapsed = Math.max(0, elapsedMs)
  if (elapsed < MINUTE) return format.format(-Math.floor(elapsed / 1000), 'second')
  if (elapsed < HOUR) return format.format(-Math.floor(elapsed / MINUTE), 'minute')
  if (elapsed < DAY) return format.format(-Math.floor(elapsed / HOUR), 'hour')
  return format.format(-Math.floor(elapsed / DAY), 'day')
}
