import type { LiveBus } from '../../ports/live-bus.ts'

/** The bus of a single process. Several changes in a row are told once. */
export function createMemoryLiveBus(): LiveBus {
  const callbacks = new Set<() => void>()
  let pending: NodeJS.Immediate | undefined

  return {
    problem: undefined,
    async start() {},
    async stop() {
      clearImmediate(pending)
      callbacks.clear()
    },
    publish() {
      pending ??= setImmediate(() => {
        pending = undefined
        for (const callback of callbacks) callback()
      })
    },
    onTouched(callback) {
      callbacks.add(callback)
      return () => callbacks.delete(callback)
    },
  }
}
