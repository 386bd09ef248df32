const DECIMAL = /^\s*([+-]?)(\d{1,18})(?:\.(\d{1,12}))?\s*$/
/** Places that an event's revenue may have. */
const PLACES = 4

/**
 * The exact product of decimals, as the shortest decimal string.
 * @returns undefined when a factor is no plain decimal, or the product needs more than four places
 */
export function multiplyDecimals(factors: string[]): string | undefined {
  let product = 1n
  let places = 0
  for (const factor of factors) {
    const match = DECIMAL.exec(factor)
    if (!match) return undefined
    const [, sign, whole = '', fraction = ''] = match
    product *= BigInt(sign === '-' ? `-${whole}${fraction}` : whole + fraction)
    places += fraction.length
  }
  while (places > 0 && product % 10n === 0n) {
    product /= 10n
    places--
  }
  if (places > PLACES) return undefined
  if (places === 0) return String(product)
  const digits = String(product < 0n ? -product : product).padStart(places + 1, '0')
  return `${product < 0n ? '-' : ''}${digits.slice(0, -places)}.${digits.slice(-places)}`
}
