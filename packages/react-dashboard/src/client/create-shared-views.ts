import type { Store } from './create-store.ts'

/** What a key's first watcher opens, and the last one closes. */
export interface Shared<T> {
  store: Store<T>
  /** Ends it; false if that is not possible yet. */
  close(): boolean
}

interface Entry<T> extends Shared<T> {
  watchers: number
  lingering?: ReturnType<typeof setTimeout>
}

/**
 * Gives all watchers of a key one store. It outlives its last watcher by `lingerMs`, so that a component that is
 * mounted again at once (Strict Mode, a change of route) finds it as it was.
 */
export function createSharedViews<T>(lingerMs: number) {
  const entries = new Map<string, Entry<T>>()

  function linger(key: string, entry: Entry<T>) {
    entry.lingering = setTimeout(() => {
      if (!entry.close()) linger(key, entry)
      else entries.delete(key)
    }, lingerMs)
  }

  function opened(key: string, open: () => Shared<T>): Entry<T> {
    const entry = entries.get(key) ?? { ...open(), watchers: 0 }
    entries.set(key, entry)
    return entry
  }

  /** The store of a key: `initial` until somebody watches it. */
  return function view(key: string, initial: T, open: () => Shared<T>): Store<T> {
    return {
      getSnapshot: () => entries.get(key)?.store.getSnapshot() ?? initial,
      subscribe(listener) {
        const entry = opened(key, open)
        clearTimeout(entry.lingering)
        entry.watchers++
        const unwatch = entry.store.subscribe(listener)
        let watching = true
        return () => {
          if (!watching) return
          watching = false
          unwatch()
          if (--entry.watchers === 0) linger(key, entry)
        }
      },
    }
  }
}
