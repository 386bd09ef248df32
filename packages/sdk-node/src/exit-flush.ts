/** What to run for each open client when the event loop has nothing left to do. */
const exitFlushes = new Set<() => void>()

const flushAll = () => {
  for (const flush of exitFlushes) flush()
}

/** Runs `flush` at each `beforeExit`, with one process listener for all clients; returns how to stop it. */
export function onBeforeExit(flush: () => void): () => void {
  if (!exitFlushes.size) process.on('beforeExit', flushAll)
  exitFlushes.add(flush)
  return () => {
    exitFlushes.delete(flush)
    if (!exitFlushes.size) process.off('beforeExit', flushAll)
  }
}
