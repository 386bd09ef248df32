import { NowcastError } from '../errors.ts'

export interface ReadGateOptions {
  /** Readings of the archive at a time. @default 4 */
  atOnce?: number
  /** Readings of one project that may wait. @default 128 */
  waiting?: number
}

/** Lets few readings of the archive run at a time; projects take turns, so that one with many does not hold up others. */
export interface ReadGate {
  /**
   * Runs `work` when it is its turn.
   * @param signal takes it out of the queue; to stop running work is the work's own matter
   * @throws NowcastError `rate_limited` when too many of the project wait already
   */
  run<T>(project: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T>
  /** Readings that wait. */
  readonly waiting: number
}

export function createReadGate({ atOnce = 4, waiting: mostWaiting = 128 }: ReadGateOptions = {}): ReadGate {
  /** In the order of their turns. */
  const queues = new Map<string, Set<() => void>>()
  let running = 0

  function next(): void {
    if (running >= atOnce) return
    const [first] = queues
    if (!first) return
    const [project, queue] = first
    const [start] = queue
    // The next turn is another project's. No queue is empty.
    queues.delete(project)
    queue.delete(start as () => void)
    if (queue.size > 0) queues.set(project, queue)
    running++
    start?.()
  }

  function turn(project: string, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted()
    const queue = queues.get(project) ?? new Set()
    if (queue.size >= mostWaiting) {
      throw new NowcastError('rate_limited', `${queue.size} questions of this project wait already: ask again later`, {
        retryable: true,
        retryAfterMs: 1000,
      })
    }
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        queue.delete(start)
        if (queue.size === 0 && queues.get(project) === queue) queues.delete(project)
        reject(signal?.reason)
      }
      const start = () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      }
      queue.add(start)
      queues.set(project, queue)
      signal?.addEventListener('abort', onAbort, { once: true })
      next()
    })
  }

  return {
    async run(project, work, signal) {
      await turn(project, signal)
      try {
        return await work()
      } finally {
        running--
        next()
      }
    },
    get waiting() {
      return [...queues.values()].reduce((sum, queue) => sum + queue.size, 0)
    },
  }
}
