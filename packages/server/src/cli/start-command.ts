import { firstSignal } from './first-signal.ts'
import { printWelcome } from './print-welcome.ts'
import { type ConfigFlags, readConfig } from './read-config.ts'

const print = (line: string) => console.log(line)

/** `nowcast start`. */
export async function startCommand(flags: ConfigFlags): Promise<void> {
  const signal = firstSignal()
  const config = await readConfig(flags)
  const { serve } = await import('./serve.ts')
  const served = await serve(config)
  await printWelcome(served.url, served.nowcast.projects, print)
  await signal
  print('Stopping: what was accepted is written …')
  await served.stop()
}
