import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePorts } from '../../scripts/loopback-ports.mjs'
import { until } from './until.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const START_MS = 90_000
const STOP_MS = 30_000

export interface RunningExample {
  url: string
  analyticsUrl: string
  dataDir: string
  /** What it has printed. */
  printed(): string
  /** As Ctrl-C does, then deletes its data. @throws Error when it had to be killed */
  remove(): Promise<void>
}

/** Starts `examples/<name>` by its documented command, on free ports and an empty data directory. */
export async function startExample(name: string): Promise<RunningExample> {
  const [port, analyticsPort] = await freePorts(2)
  const dataDir = await mkdtemp(join(tmpdir(), `nowcast-${name}-`))
  const env = { ...process.env, PORT: `${port}`, ANALYTICS_PORT: `${analyticsPort}`, DATA_DIR: dataDir, NO_COLOR: '1' }
  // A process group of its own: Ctrl-C reaches all of it.
  const npm = spawn('npm', ['start', '--workspace', `examples/${name}`], { cwd: ROOT, env, detached: true })
  let printed = ''
  for (const stream of [npm.stdout, npm.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      printed += text
    })
  }
  const group = -(npm.pid as number)
  const isRunning = () => {
    try {
      return process.kill(group, 0)
    } catch {
      return false
    }
  }

  const url = `http://localhost:${port}`
  async function remove(): Promise<void> {
    try {
      if (isRunning()) process.kill(group, 'SIGINT')
      await until(false, isRunning, STOP_MS)
    } finally {
      if (isRunning()) process.kill(group, 'SIGKILL')
      await rm(dataDir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
    }
  }
  try {
    await until(true, () => printed.includes(url) || npm.exitCode !== null, START_MS)
    if (npm.exitCode !== null) throw new Error('it ended')
  } catch (error) {
    await remove().catch(() => {})
    throw new Error(`examples/${name} did not start: ${printed}`, { cause: error })
  }
  return { url, analyticsUrl: `http://localhost:${analyticsPort}`, dataDir, printed: () => printed, remove }
}
