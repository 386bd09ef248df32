import type { Anomaly } from '@nowcast/protocol'

/** The rule as the contract has it: a value against those before it, the oldest first, with nothing left out. */
export function anomalyOf(value: number, before: readonly number[], sigma: number): Anomaly | undefined {
  const baseline = before.slice(-60)
  if (baseline.length < 10) return undefined
  const expected = baseline.reduce((a, b) => a + b) / baseline.length
  const squares = baseline.reduce((sum, one) => sum + (one - expected) ** 2, 0)
  const isFlat = baseline.every((one) => one === baseline[0])
  const deviation = isFlat ? 0 : Math.sqrt(squares / (baseline.length - 1))
  const score = isFlat ? (value === baseline[0] ? 0 : value > expected ? 99 : -99) : (value - expected) / deviation
  if (Math.abs(score) <= sigma) return undefined
  return {
    score: Math.min(99, Math.max(-99, score)),
    expected,
    low: expected - sigma * deviation,
    high: expected + sigma * deviation,
  }
}
