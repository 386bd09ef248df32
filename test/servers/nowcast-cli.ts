import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** The built command line; `NOWCAST_CLI` names another build of it. */
export const CLI =
  process.env.NOWCAST_CLI ?? fileURLToPath(new URL('../../packages/server/dist/cli.js', import.meta.url))

export interface CliRun {
  code: number | null
  stdout: string
  stderr: string
}

/** Starts a command in `cwd`; no setting of the surroundings reaches it. `nodeFlags` are for Node.js itself. */
export function spawnNowcast(
  args: readonly string[],
  cwd: string,
  nodeFlags: readonly string[] = [],
): ChildProcess & { output(): CliRun } {
  const environment = Object.entries(process.env).filter(([name]) => !name.startsWith('NOWCAST_'))
  const env = { ...Object.fromEntries(environment), NO_COLOR: '1' }
  const child = spawn(process.execPath, [...nodeFlags, CLI, ...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const parts = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      parts[name] += text
    })
  }
  return Object.assign(child, { output: () => ({ code: child.exitCode, ...parts }) })
}

/** Runs a command to its end; one that takes longer than `limitMs` is killed and has no exit code. */
export async function runNowcast(args: readonly string[], cwd: string, limitMs = 30_000): Promise<CliRun> {
  const child = spawnNowcast(args, cwd)
  const timer = setTimeout(() => child.kill('SIGKILL'), limitMs)
  await new Promise((resolve) => child.once('close', resolve))
  clearTimeout(timer)
  return child.output()
}

/** Ends a process with `signal` and waits until it is gone. */
export async function endProcess(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill(signal)
  await gone
}
