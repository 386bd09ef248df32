// Loaded into the server before its own code: on SIGUSR2 it collects all garbage and prints what is left.
import { setImmediate } from 'node:timers/promises'

process.on('SIGUSR2', async () => {
  // What a finalizer lets go of is garbage of the next collection.
  for (let i = 0; i < 3; i++) {
    globalThis.gc()
    await setImmediate()
  }
  const { heapUsed, external, arrayBuffers, rss } = process.memoryUsage()
  process.stdout.write(`what lives: ${JSON.stringify({ heapUsed, external, arrayBuffers, rss })}\n`)
})
