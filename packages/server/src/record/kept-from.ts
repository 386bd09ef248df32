/** Start of the oldest month (UTC) of which something is kept: `months` before the running one. Epoch ms. */
export function keptFrom(now: number, months: number): number {
  const date = new Date(now)
  return Math.max(0, Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - months))
}
