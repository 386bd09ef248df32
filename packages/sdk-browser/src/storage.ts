/** Text by key in `localStorage`; what it does not take stays in memory until the page ends. */
export interface TextStorage {
  get(key: string): string | undefined
  /** Stores a text; undefined removes it. */
  set(key: string, text?: string): void
  /** Every key that begins with `prefix`. */
  keys(prefix: string): string[]
}

/** Opens the page's storage: in memory alone where `isMemory` says so, or where the browser does not let us. */
export function createStorage(isMemory?: boolean): TextStorage {
  const memory = new Map<string, string>()
  const local = <T>(run: (local: Storage) => T) => {
    try {
      return isMemory ? undefined : run(localStorage)
    } catch {}
  }
  return {
    get: (key) => memory.get(key) ?? local((local) => local.getItem(key)) ?? undefined,
    set(key, text) {
      memory.delete(key)
      const isStored = local((local) => {
        if (text === undefined) local.removeItem(key)
        else local.setItem(key, text)
        return true
      })
      if (!isStored && text !== undefined) memory.set(key, text)
    },
    keys: (prefix) => [...memory.keys(), ...(local(Object.keys) || [])].filter((key) => key.startsWith(prefix)),
  }
}
