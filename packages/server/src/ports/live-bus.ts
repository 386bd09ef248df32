/**
 * Tells the processes that answer questions that windows have changed: only when to look, never what. A message may be
 * lost, so nobody may wait for one alone.
 */
export interface LiveBus {
  start(): Promise<void>
  stop(): Promise<void>
  /** Something was touched. */
  publish(): void
  /** Calls back when something was touched, here or in another process; returns how to stop. */
  onTouched(callback: () => void): () => void
  /** Why messages do not arrive at present, and what to do; undefined when all is well. */
  readonly problem: string | undefined
}
