/** A decimal with at most four places in ten-thousandths; the server's own arithmetic has no part in it. */
export function parseUnits(decimal: string): bigint {
  const [whole = '0', places = ''] = decimal.replace('-', '').split('.')
  const units = BigInt(whole + places.padEnd(4, '0'))
  return decimal.startsWith('-') ? -units : units
}
