import { EngineError } from './engine-error.ts'

/** Sessions that run one query each at a time; further queries wait in order. */
export interface SessionPool<S> {
  /**
   * Runs `work` on a free session.
   * @param signal takes a waiting query out of the queue; a running one is the caller's to stop
   * @throws EngineError 202 when too many wait already, 394 when `signal` fired while waiting
   */
  run<T>(work: (session: S) => Promise<T>, signal?: AbortSignal): Promise<T>
}

interface Waiting<S> {
  start(session: S): void
}

export function createSessionPool<S>(sessions: readonly S[], maxWaiting: number): SessionPool<S> {
  const free = [...sessions]
  const waiting: Waiting<S>[] = []

  const release = (session: S) => {
    const next = waiting.shift()
    if (next) return next.start(session)
    free.push(session)
  }

  const acquire = (signal?: AbortSignal): Promise<S> => {
    const session = free.shift()
    if (session !== undefined) return Promise.resolve(session)
    if (waiting.length >= maxWaiting) {
      const message = `Too many simultaneous queries: ${maxWaiting} wait for the embedded engine already`
      return Promise.reject(new EngineError(202, 'TOO_MANY_SIMULTANEOUS_QUERIES', message))
    }
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        waiting.splice(waiting.indexOf(entry), 1)
        reject(new EngineError(394, 'QUERY_WAS_CANCELLED', 'Query was cancelled while it waited'))
      }
      const entry: Waiting<S> = {
        start(session) {
          signal?.removeEventListener('abort', onAbort)
          resolve(session)
        },
      }
      waiting.push(entry)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  return {
    async run(work, signal) {
      const session = await acquire(signal)
      try {
        return await work(session)
      } finally {
        release(session)
      }
    },
  }
}
