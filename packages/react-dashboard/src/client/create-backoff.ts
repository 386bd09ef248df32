/** Waits longer after each failure, up to a bound, with jitter so that many clients do not return together. */
export interface Backoff {
  /** Runs `retry` later, in place of one that still waits. */
  schedule(retry: () => void): void
  /** Forgets what still waits; the next wait is as long as it would have been. */
  cancel(): void
  /** Forgets the failures and what still waits. */
  reset(): void
}

/** Makes a backoff that starts at `firstMs` and doubles up to `mostMs`. */
export function createBackoff(firstMs: number, mostMs = 30_000): Backoff {
  let failures = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  return {
    schedule(retry) {
      clearTimeout(timer)
      const delayMs = Math.min(mostMs, firstMs * 2 ** failures++)
      timer = setTimeout(retry, delayMs * (0.75 + Math.random() / 2))
    },
    cancel: () => clearTimeout(timer),
    reset() {
      clearTimeout(timer)
      failures = 0
    },
  }
}
