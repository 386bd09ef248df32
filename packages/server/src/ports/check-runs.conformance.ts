/** How many random cases a property is tried with: `n`, times `CHECKS` from the environment. */
export function checkRuns(n: number): number {
  return Math.round(n * Number(process.env.CHECKS ?? 1))
}
