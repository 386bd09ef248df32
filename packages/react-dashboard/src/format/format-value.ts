import type { Unit } from './metric-unit.ts'
import { numberFormat } from './number-format.ts'

/** How a value is to be written. */
export interface ValueStyle {
  unit: Unit
  locale?: string | undefined
  /** ISO 4217, of money; without one it is written as a plain number. */
  currency?: string | undefined
  /** A distinct count: marked with `~`. */
  approximate?: boolean | undefined
}

const COMPACT_FROM = 10_000
const COMPACT_MONEY_FROM = 100_000

function shortOptions({ unit, currency }: ValueStyle, v: number): Intl.NumberFormatOptions {
  const size = Math.abs(v)
  switch (unit) {
    case 'percent':
      return { style: 'percent', maximumFractionDigits: size < 0.1 ? 2 : 1 }
    case 'money': {
      const money = currency ? ({ style: 'currency', currency } as const) : {}
      if (size >= COMPACT_MONEY_FROM) return { ...money, notation: 'compact', maximumFractionDigits: 1 }
      return size >= 1000 ? { ...money, minimumFractionDigits: 0, maximumFractionDigits: 0 } : money
    }
    case 'rate':
      if (size < 100) return { maximumFractionDigits: size < 10 ? 2 : 1 }
      break
  }
  if (size >= COMPACT_FROM) return { notation: 'compact', maximumFractionDigits: 1 }
  return { maximumFractionDigits: unit === 'count' && size < 10 ? 1 : 0 }
}

function longOptions({ unit, currency }: ValueStyle): Intl.NumberFormatOptions {
  if (unit === 'percent') return { style: 'percent', maximumFractionDigits: 4 }
  if (unit === 'money' && currency) return { style: 'currency', currency, maximumFractionDigits: 4 }
  return { maximumFractionDigits: 4 }
}

function mark(text: string, { approximate }: ValueStyle, v: number): string {
  return approximate && v !== 0 ? `~${text}` : text
}

/** The value in few characters: `~1.2M`, `€74,312`, `1.24%`. */
export function shortValue(v: number, style: ValueStyle): string {
  return mark(numberFormat(style.locale, shortOptions(style, v)).format(v), style, v)
}

/** The value with all its digits; `exact` is the decimal text behind a rounded amount of money. */
export function longValue(v: number, style: ValueStyle, exact?: string): string {
  const digits = (exact ?? v) as number // Intl takes decimal text too, and keeps all its digits.
  return mark(numberFormat(style.locale, longOptions(style)).format(digits), style, v)
}

/** The value on an axis: as short as can be. */
export function axisValue(v: number, style: ValueStyle): string {
  if (style.unit === 'percent') return shortValue(v, style)
  const money = style.unit === 'money' && style.currency
  const currency = money ? ({ style: 'currency', currency: style.currency, minimumFractionDigits: 0 } as const) : {}
  return numberFormat(style.locale, { ...currency, notation: 'compact', maximumFractionDigits: 1 }).format(v)
}
