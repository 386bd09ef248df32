/** Sleep that others can end. */
export interface WakeUp {
  /** Ends every sleep. */
  wake(): void
  sleep(ms: number): Promise<void>
}

/** A sleep for the reader of a log that is told of new events. */
export function createWakeUp(): WakeUp {
  const sleepers = new Set<() => void>()
  return {
    wake() {
      for (const end of sleepers) end()
    },
    sleep(ms) {
      return new Promise((resolve) => {
        const end = () => {
          clearTimeout(timer)
          sleepers.delete(end)
          resolve()
        }
        const timer = setTimeout(end, ms)
        sleepers.add(end)
      })
    },
  }
}
