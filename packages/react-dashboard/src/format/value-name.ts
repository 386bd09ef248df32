import type { Labels } from '../labels.ts'

const names = new Map<string | undefined, Intl.DisplayNames>()

function countryName(code: string, locale: string | undefined): string {
  let format = names.get(locale)
  if (!format) {
    format = new Intl.DisplayNames(locale ? [locale] : [], { type: 'region', fallback: 'code' })
    names.set(locale, format)
  }
  return format.of(code) ?? code
}

/** What a person calls a dimension's value: a country by its name, `(none)` by its label. */
export function valueName(dimension: string, value: string, labels: Labels, locale?: string): string {
  const isCountry = dimension === 'country' && /^[A-Z]{2}$/.test(value)
  if (isCountry) return countryName(value, locale)
  const isWord = dimension === 'device' || value.startsWith('(')
  return (isWord && labels.values[value]) || value
}
