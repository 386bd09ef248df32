import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../scripts/loopback-ports.mjs'
import type { ProjectKeys } from './known-projects.ts'
import { type CliRun, endProcess, runNowcast, spawnNowcast } from './nowcast-cli.ts'

const START_MS = 90_000

export interface StartOptions {
  /** What `nowcast.config.json` holds. */
  config?: Record<string, unknown>
  /** Flags after those for port and data directory. */
  flags?: string[]
  /** Flags of Node.js itself. */
  nodeFlags?: string[]
}

/** A server in a process and a data directory of its own. */
export interface TestServer {
  url: string
  port: number
  /** Holds `nowcast.config.json` and the data directory. */
  folder: string
  dataDir: string
  pid(): number
  /** What the running process has printed. */
  printed(): CliRun
  /** The projects that the server made for itself. */
  ownProjects(): Promise<ProjectKeys[]>
  /** Another command on the same data directory, to its end. */
  run(command: string, ...args: string[]): Promise<CliRun>
  kill(): Promise<void>
  /** SIGTERM: drains first. */
  stop(): Promise<void>
  start(): Promise<void>
  /** Ends the server and deletes its data. */
  remove(): Promise<void>
}

/** Starts `nowcast start` on a free port and an empty data directory. */
export async function startServer({ config, flags = [], nodeFlags }: StartOptions = {}): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), 'nowcast-system-'))
  const dataDir = join(folder, 'data')
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  if (config) await writeFile(join(folder, 'nowcast.config.json'), JSON.stringify(config))
  let child: ReturnType<typeof spawnNowcast>

  async function start(): Promise<void> {
    child = spawnNowcast(['start', '--port', String(port), '--data-dir', dataDir, ...flags], folder, nodeFlags)
    const deadline = Date.now() + START_MS
    while (!child.output().stdout.includes('Ctrl-C stops')) {
      if (child.exitCode !== null) throw new Error(`the server did not start: ${child.output().stderr}`)
      if (Date.now() > deadline) throw new Error(`the server takes too long to start: ${child.output().stderr}`)
      await sleep(25)
    }
  }

  await start()
  return {
    url,
    port,
    folder,
    dataDir,
    start,
    pid: () => child.pid as number,
    printed: () => child.output(),
    ownProjects: async () => JSON.parse(await readFile(join(dataDir, 'projects.json'), 'utf8')),
    run: (command, ...args) => runNowcast([command, ...args, '--data-dir', dataDir], folder),
    kill: () => endProcess(child, 'SIGKILL'),
    stop: () => endProcess(child, 'SIGTERM'),
    async remove() {
      await endProcess(child, 'SIGKILL')
      await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
    },
  }
}
