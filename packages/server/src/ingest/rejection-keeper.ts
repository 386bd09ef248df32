import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Clock } from '../ports/clock.ts'
import type { StoredRejection } from '../ports/event-store.ts'
import { offendingPart } from './offending-part.ts'

const HOUR_MS = 3_600_000
/** How long a stop waits for a store that is silent, ms. */
const LAST_WRITE_MS = 1000

export interface RejectionKeeperDependencies {
  clock: Clock
  logger: Logger
  /** Where they are kept for a week. */
  insert(rejections: readonly StoredRejection[]): Promise<void>
  /** Told of refused events that are counted only. */
  unkept(events: number): void
}

export interface RejectionKeeperOptions {
  /** Of one project, one reason and one hour. @default 100 */
  perHour?: number
  /** Waiting to be written. @default 2000 */
  maxWaiting?: number
  /** Between two writings, ms. @default 2000 */
  everyMs?: number
}

/** Keeps some of the refused events, so that somebody can see what is wrong with them. */
export interface RejectionKeeper {
  /** Never waits and never fails. */
  keep(rejection: Omit<StoredRejection, 'event'>, item: unknown): void
  start(): void
  /** Writes what waits, once. */
  stop(): Promise<void>
}

/**
 * Best effort, and bounded: a flood of one reason hides no other, and nothing waits for the store. What cannot be
 * written is dropped.
 */
export function createRejectionKeeper(
  { clock, logger, insert, unkept }: RejectionKeeperDependencies,
  options: RejectionKeeperOptions = {},
): RejectionKeeper {
  const { perHour = 100, maxWaiting = 2000, everyMs = 2000 } = options
  let hour = -1
  let kept = new Map<string, number>()
  let waiting: StoredRejection[] = []
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> | undefined

  async function write(): Promise<void> {
    const rejections = waiting
    waiting = []
    try {
      await insert(rejections)
    } catch (error) {
      unkept(rejections.length)
      logger.warn({ error, events: rejections.length }, 'refused events could not be kept')
    }
  }

  function flush(): Promise<void> {
    if (waiting.length > 0) {
      writing ??= write().finally(() => {
        writing = undefined
      })
    }
    return writing ?? Promise.resolve()
  }

  return {
    keep(rejection, item) {
      const now = Math.floor(clock.now() / HOUR_MS)
      if (now !== hour) {
        hour = now
        kept = new Map()
      }
      const key = `${rejection.project} ${rejection.code}`
      const count = kept.get(key) ?? 0
      if (count >= perHour || waiting.length >= maxWaiting) return unkept(1)
      kept.set(key, count + 1)
      waiting.push({ ...rejection, event: offendingPart(item, rejection.message) })
    },
    start() {
      timer = setInterval(flush, everyMs)
      timer.unref()
    },
    async stop() {
      clearInterval(timer)
      const written = (async () => {
        await writing
        await flush()
      })()
      await Promise.race([written, sleep(LAST_WRITE_MS, undefined, { ref: false })])
    },
  }
}
