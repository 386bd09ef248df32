import type { NoticeQueue } from './create-notice-queue.ts'

/** An immutable value that listeners can watch; shaped for `useSyncExternalStore`. */
export interface Store<T> {
  getSnapshot(): T
  /** Returns the function that ends the watch. */
  subscribe(listener: () => void): () => void
}

/** A store whose owner can replace the value. */
export interface WritableStore<T> extends Store<T> {
  set(value: T): void
}

/** Makes a store that tells its listeners through the queue. */
export function createStore<T>(initial: T, notices: NoticeQueue): WritableStore<T> {
  const listeners = new Set<() => void>()
  let value = initial

  function notify() {
    for (const listener of [...listeners]) listener()
  }

  return {
    getSnapshot: () => value,
    subscribe(listener) {
      // A wrapper of its own, so that one function can watch twice.
      const own = () => listener()
      listeners.add(own)
      return () => listeners.delete(own)
    },
    set(next) {
      value = next
      notices.add(notify)
    },
  }
}
