/** Longest time of one timer, ms. */
const MOST_TIMER_MS = 2 ** 31 - 1
/** Expiries that follow each other closely are seen to together. */
const LEAST_WAIT_MS = 50

/** One timer for whatever expires first, where a timer for each of thousands would be much. */
export interface ExpiryAlarm {
  /** Something expires then, epoch ms. */
  add(expiresAt: number): void
  stop(): void
}

/** @param sweep ends what has expired; answers when the next of the others does, epoch ms, Infinity if none */
export function createExpiryAlarm(sweep: (now: number) => number): ExpiryAlarm {
  let dueAt = Number.POSITIVE_INFINITY
  let timer: NodeJS.Timeout | undefined

  function set(expiresAt: number): void {
    clearTimeout(timer)
    dueAt = expiresAt
    if (dueAt === Number.POSITIVE_INFINITY) return
    timer = setTimeout(ring, Math.min(MOST_TIMER_MS, Math.max(LEAST_WAIT_MS, dueAt - Date.now())))
    timer.unref()
  }

  function ring(): void {
    set(sweep(Date.now()))
  }

  return {
    add(expiresAt) {
      if (expiresAt < dueAt) set(expiresAt)
    },
    stop() {
      clearTimeout(timer)
    },
  }
}
