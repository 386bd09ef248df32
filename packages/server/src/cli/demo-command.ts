import { printWelcome } from './print-welcome.ts'
import { type ConfigFlags, readConfig } from './read-config.ts'
import { runUntilSignal } from './run-until-signal.ts'
import { serve } from './serve.ts'

interface DemoFlags extends ConfigFlags {
  eventsPerSecond?: string
}

const print = (line: string) => console.log(line)

/** `nowcast demo`: `start` with simulated traffic in a project of its own. */
export async function demoCommand(flags: DemoFlags): Promise<void> {
  const served = await serve(await readConfig(flags))
  await printWelcome(served.url, served.nowcast.projects, print)
  await runUntilSignal(() => served.stop(), print)
}
