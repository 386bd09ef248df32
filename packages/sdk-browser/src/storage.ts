/** Text by key in `localStorage`, or in memory from the first time that it throws. */
export interface TextStorage {
  get(key: string): string | undefined
  /** Stores a text; undefined removes it. */
  set(key: string, text: string | undefined): void
  /** Keys in `localStorage`. */
  keys(): string[]
}

/** Opens the page's storage. */
export function createStorage(): TextStorage {
  const memory: Record<string, string | undefined> = {}
  let local: Storage | undefined
  const attempt = <T>(run: () => T) => {
    try {
      return run()
    } catch {
      local = undefined
    }
  }
  attempt(() => {
    local = localStorage
  })
  return {
    get: (key) => {
      if (local) memory[key] = attempt(() => local!.getItem(key)) ?? (local ? undefined : memory[key])
      return memory[key]
    },
    set: (key, text) => {
      memory[key] = text
      if (local) attempt(() => (text === undefined ? local!.removeItem(key) : local!.setItem(key, text)))
    },
    keys: () => (local && attempt(() => Object.keys(local!))) || [],
  }
}
