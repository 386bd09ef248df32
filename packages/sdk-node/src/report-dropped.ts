import type { Report } from '@nowcast/sdk-core'

/** Adds up what is reported within `everyMs`, so that a full queue does not report every event. */
export function createSummingReport(report: Report, everyMs: number): Report {
  const sums = new Map<string, { lostEvents: number; cause: unknown }>()
  return (code, message, lostEvents, cause) => {
    const sum = sums.get(code)
    if (sum) {
      sum.lostEvents += lostEvents
      return
    }
    sums.set(code, { lostEvents, cause })
    setTimeout(() => {
      const { lostEvents, cause } = sums.get(code)!
      sums.delete(code)
      report(code, `${message}: ${lostEvents} events lost`, lostEvents, cause)
    }, everyMs).unref?.()
  }
}
