import { join } from 'node:path'
import pc from 'picocolors'
import { storedProjects } from '../data-dir/stored-projects.ts'
import { CommandError } from './command-error.ts'
import { type DemoProgress, runDemo } from './demo/run-demo.ts'
import { firstSignal } from './first-signal.ts'
import { printWelcome } from './print-welcome.ts'
import { type ConfigFlags, readConfig } from './read-config.ts'

interface DemoFlags extends ConfigFlags {
  eventsPerSecond?: string
}

const DEMO = { id: 'demo', name: 'Demo shop' }
/** A day at the default rate, so that its curve is the same all along. */
const BACKFILL_EVENTS = 450_000
const OWN = { id: 'default', name: 'Default' }
const print = (line: string) => console.log(line)

/** `nowcast demo`: `start` with simulated traffic in a project of its own. */
export async function demoCommand({ eventsPerSecond = '5', ...flags }: DemoFlags): Promise<void> {
  const signal = firstSignal()
  const rate = Number(eventsPerSecond)
  if (!(rate > 0 && rate <= 1000)) throw new CommandError(`--events-per-second ${eventsPerSecond}: a number up to 1000`)
  const config = await readConfig(flags)
  const hasOwn = config.projects.length > 0
  const stored = await storedProjects(config.dataDir, ...(hasOwn ? [] : [OWN]), DEMO)
  const demo = stored.find(({ id }) => id === DEMO.id)
  if (!demo) throw new CommandError(`${config.dataDir} has no project ${DEMO.id}`)
  const own = (hasOwn ? config.projects : stored).filter(({ id }) => id !== DEMO.id)
  const { serve } = await import('./serve.ts')
  const served = await serve({ ...config, projects: [...own, demo] })
  await printWelcome(served.url, [demo, ...own], print)
  const abort = new AbortController()
  const traffic = runDemo({
    url: served.url,
    key: demo.secretKey,
    stateFile: join(config.dataDir, 'demo.json'),
    eventsPerSecond: rate,
    backfillEvents: BACKFILL_EVENTS,
    progress: drawBackfill(),
    notice: (message) => print(pc.yellow(`  ${message}`)),
    signal: abort.signal,
  }).catch((error: Error) => {
    if (!abort.signal.aborted) print(pc.red(`  The demo's traffic stopped: ${error.message}`))
  })
  await signal
  print('Stopping: what was accepted is written …')
  abort.abort()
  await traffic
  await served.stop()
}

/** Says how far the past is filled: in place on a terminal, else every quarter. */
function drawBackfill(): (progress: DemoProgress) => void {
  let shown = -1
  let isDone = false
  return ({ phase, fromMs, toMs, atMs, accepted }) => {
    if (isDone) return
    const percent = phase === 'live' ? 100 : Math.floor(((atMs - fromMs) * 100) / Math.max(1, toMs - fromMs))
    isDone = phase === 'live'
    const step = process.stdout.isTTY ? 1 : 25
    if (Math.floor(percent / step) === shown && !isDone) return
    shown = Math.floor(percent / step)
    const line = isDone
      ? `  The last hours are filled (${accepted.toLocaleString('en-US')} events); traffic goes on live.`
      : `  Filling the last hours with traffic: ${percent} %`
    if (process.stdout.isTTY) process.stdout.write(`\r${line}${isDone ? '\n' : ''}`)
    else print(line)
  }
}
