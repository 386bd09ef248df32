/** Waits for Ctrl-C or SIGTERM, then stops; a second signal ends the process at once. */
export async function runUntilSignal(stop: () => Promise<void>, print: (line: string) => void): Promise<void> {
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => resolve())
    }
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.removeAllListeners(signal)
    process.on(signal, () => process.exit(130))
  }
  print('Stopping: what was accepted is written …')
  await stop()
}
