const SIGNALS = ['SIGINT', 'SIGTERM'] as const

/**
 * Resolves at Ctrl-C or SIGTERM, also one that comes while the server is still starting; a second signal ends the
 * process at once. To be called before anything is started.
 */
export function firstSignal(): Promise<void> {
  return new Promise((resolve) => {
    let isFirst = true
    for (const signal of SIGNALS) {
      process.on(signal, () => {
        if (!isFirst) process.exit(130)
        isFirst = false
        resolve()
      })
    }
  })
}
