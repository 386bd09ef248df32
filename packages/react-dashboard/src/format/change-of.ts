import type { ValueStyle } from './format-value.ts'
import { numberFormat } from './number-format.ts'

/** How a value compares with the one before. */
export interface Change {
  direction: 'up' | 'down' | 'same'
  /** By how much: `12%`, or `0.16 pp` of a share; empty where there is nothing to divide by. */
  amount: string
}

/** Compares a value with the one before: by its ratio, and shares by their difference. */
export function changeOf(v: number, previous: number, style: ValueStyle, percentagePoints: string): Change {
  const difference =
    style.unit === 'percent' ? (v - previous) * 100 : previous === 0 ? 0 : (v - previous) / Math.abs(previous)
  const options: Intl.NumberFormatOptions =
    style.unit === 'percent'
      ? { maximumFractionDigits: 2 }
      : { style: 'percent', maximumFractionDigits: Math.abs(difference) < 0.1 ? 1 : 0 }
  const format = numberFormat(style.locale, options)
  const text = format.format(Math.abs(difference))
  if (style.unit !== 'percent' && previous === 0)
    return { direction: v > 0 ? 'up' : v < 0 ? 'down' : 'same', amount: '' }
  if (text === format.format(0)) return { direction: 'same', amount: '' }
  return {
    direction: difference > 0 ? 'up' : 'down',
    amount: style.unit === 'percent' ? `${text} ${percentagePoints}` : text,
  }
}
