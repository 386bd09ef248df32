import type { Logger } from 'pino'
import type { EventStore } from '../ports/event-store.ts'
import { keptFrom } from '../record/kept-from.ts'

const ASK_EVERY_MS = 60_000

/**
 * From when on events are taken: the months of the configuration, and none that the archive rolls up, or has rolled up by
 * another configuration.
 */
export interface KeptMonths {
  start(): void
  stop(): void
  /** Start of the oldest month whose events are taken, epoch ms; 0 for all. */
  from(now: number): number
  /** Asks the archive at once. */
  ask(): Promise<void>
}

/** @param months whole months beside the running one; undefined for all */
export function createKeptMonths(
  { eventStore, logger }: { eventStore: Pick<EventStore, 'keptFrom'>; logger: Logger },
  months: number | undefined,
): KeptMonths {
  /** Holds while the archive is away. */
  let archiveFrom = 0
  let timer: NodeJS.Timeout | undefined

  async function ask(): Promise<void> {
    archiveFrom = await eventStore.keptFrom()
  }

  const askLater = () => {
    ask().catch((error) => logger.debug({ error }, 'which months are kept could not be read'))
  }

  return {
    start() {
      askLater()
      timer = setInterval(askLater, ASK_EVERY_MS)
      timer.unref()
    },
    stop: () => clearInterval(timer),
    from: (now) => (months === undefined ? archiveFrom : Math.max(archiveFrom, keptFrom(now, months))),
    ask,
  }
}
