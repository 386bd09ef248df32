/** Equal work that is under way is done once, for all who ask. */
export interface SharedWork<T> {
  /**
   * The result of `work`, or of the equal work that runs already. It is stopped when all who asked have gone.
   * @param signal of the one who asks: its end ends only their waiting
   */
  run(key: string, work: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T>
}

interface Running<T> {
  result: Promise<T>
  stop: AbortController
  asking: number
}

export function createSharedWork<T>(): SharedWork<T> {
  const running = new Map<string, Running<T>>()

  function begin(key: string, work: (signal: AbortSignal) => Promise<T>): Running<T> {
    const stop = new AbortController()
    const result = work(stop.signal).finally(() => {
      if (running.get(key) === entry) running.delete(key)
    })
    const entry: Running<T> = { result, stop, asking: 0 }
    running.set(key, entry)
    return entry
  }

  return {
    run(key, work, signal) {
      if (signal?.aborted) return Promise.reject(signal.reason)
      const entry = running.get(key) ?? begin(key, work)
      entry.asking++
      return new Promise((resolve, reject) => {
        const leave = () => {
          if (--entry.asking > 0) return
          if (running.get(key) === entry) running.delete(key)
          entry.stop.abort()
        }
        const onAbort = () => {
          reject(signal?.reason)
          leave()
        }
        signal?.addEventListener('abort', onAbort, { once: true })
        entry.result.then(resolve, reject).finally(() => signal?.removeEventListener('abort', onAbort))
      })
    },
  }
}
