import type { EventQueue } from '@nowcast/sdk-core'

/** A queue that takes events as JSON. */
export interface NodeQueue extends EventQueue<number> {
  /** Adds an event; false when it is refused. */
  push(json: string): boolean
  /** Lets go of files, timers and memory. */
  close(): void
  /** What is left at the end is sent by a later process. */
  isDurable: boolean
}
