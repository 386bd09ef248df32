import type { Project } from '../project.ts'

const SCALE = 100_000_000n

/**
 * Ten-thousandths of `currency` in the project's own, rounded half away from zero; undefined when there is no rate.
 */
export function revenueInProjectCurrency(units: number, currency: string, project: Project): number | undefined {
  if (currency === project.currency) return units
  const rate = project.rates[currency]
  if (rate === undefined) return undefined
  const [whole = '0', places = ''] = rate.split('.')
  const scaled = BigInt(whole) * SCALE + BigInt(places.slice(0, 8).padEnd(8, '0'))
  const product = BigInt(Math.abs(units)) * scaled
  const converted = Number((product + SCALE / 2n) / SCALE)
  return units < 0 ? -converted : converted
}
