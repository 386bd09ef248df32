/** Money is counted in ten-thousandths of a currency unit. */
export const UNITS = 10_000

const DECIMAL = /^([+-]?)(\d{1,15})(?:\.(\d{1,4})0*)?$/

/**
 * A number or decimal string as ten-thousandths, exactly.
 * @returns undefined when it is no plain decimal with at most four places, or beyond 15 digits before the point.
 */
export function parseDecimal(value: number | string): number | undefined {
  if (typeof value === 'number') {
    if (Number.isInteger(value)) return Math.abs(value) < 1e11 ? value * UNITS : undefined
    return parseDecimal(String(value))
  }
  const match = DECIMAL.exec(value)
  if (!match) return undefined
  const [, sign, whole = '0', places = ''] = match
  const units = Number(whole) * UNITS + Number(places.padEnd(4, '0'))
  if (!Number.isSafeInteger(units)) return undefined
  return sign === '-' && units !== 0 ? -units : units
}

/** Ten-thousandths as a decimal with four places: `19.9900`. */
export function formatDecimal(units: number | bigint): string {
  const negative = units < 0
  const digits = String(negative ? -units : units).padStart(5, '0')
  return `${negative ? '-' : ''}${digits.slice(0, -4)}.${digits.slice(-4)}`
}
