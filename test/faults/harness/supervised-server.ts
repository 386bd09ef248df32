import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../../scripts/loopback-ports.mjs'
import { knownProject, type ProjectKeys } from '../../servers/known-projects.ts'
import { type CliRun, endProcess, runNowcast, spawnNowcast } from '../../servers/nowcast-cli.ts'

const READY_MS = 60_000
const READY = 'Ctrl-C stops'

/** A server that is started again whenever it ends. */
export interface SupervisedServer {
  url: string
  projects: ProjectKeys[]
  folder: string
  dataDir: string
  /** Starts that ended by themselves: none may. */
  readonly refusedStarts: readonly string[]
  /** What the running process has printed to stderr. */
  stderr(): string
  /** Resolves when the process that runs now answers. */
  ready(): Promise<void>
  /** Ends the process with -9; another one starts at once. */
  kill(): Promise<void>
  /** Drains, ends and starts again; answers the exit code and what was printed. */
  restart(): Promise<CliRun>
  /** Ends the engine alone with -9; false when none runs. */
  killEngine(): boolean
  /** Process id of the engine of the running server. */
  enginePid(): number | undefined
  run(command: string, ...args: string[]): Promise<CliRun>
  /** Ends the server for good, as told; its data stays. */
  end(signal: NodeJS.Signals): Promise<CliRun>
  /** Starts it again after `end`. */
  begin(): void
  /** Ends the server and deletes its data. */
  remove(): Promise<void>
}

export interface SupervisedServerOptions {
  /** @default a new folder, removed at the end */
  folder?: string
  /** Fields of the configuration. */
  config?: Record<string, unknown>
}

/** Two projects, so that nothing of one may show in the other. */
const PROJECTS = [knownProject('shop', {}), knownProject('blog', {})]

/** Starts a server in a process of its own and keeps it running. */
export async function superviseServer(options: SupervisedServerOptions = {}): Promise<SupervisedServer> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'nowcast-faults-')))
  const dataDir = join(folder, 'data')
  const port = await freePort()
  const config = { projects: PROJECTS, ...options.config }
  await writeFile(join(folder, 'nowcast.config.json'), JSON.stringify(config))
  const refusedStarts: string[] = []
  let child: ReturnType<typeof spawnNowcast>
  /** Whether the end of the running process was asked for. */
  let isMeant = false
  let stopped = false

  function begin(): void {
    stopped = false
    isMeant = false
    const own = spawnNowcast(['start', '--port', String(port), '--data-dir', dataDir], folder)
    child = own
    own.once('close', (code, signal) => {
      if (!isMeant) refusedStarts.push(`ended with ${code ?? signal}: ${own.output().stderr.slice(-2000)}`)
      if (!stopped && child === own) begin()
    })
  }

  async function ready(): Promise<void> {
    const deadline = Date.now() + READY_MS
    while (!child.output().stdout.includes(READY)) {
      if (Date.now() > deadline) throw new Error(`the server takes too long to start: ${child.output().stderr}`)
      await sleep(10)
    }
  }

  async function end(signal: NodeJS.Signals): Promise<CliRun> {
    const own = child
    isMeant = true
    stopped = true
    if (own.exitCode === null && own.signalCode === null) {
      const closed = new Promise((resolve) => own.once('close', resolve))
      own.kill(signal)
      await closed
    }
    return own.output()
  }

  function enginePid(): number | undefined {
    let status: string
    try {
      status = readFileSync(join(dataDir, 'clickhouse', 'status'), 'utf8')
    } catch {
      return undefined
    }
    const pid = Number(/PID: (\d+)/.exec(status)?.[1])
    return parentOf(pid) === child.pid ? pid : undefined
  }

  begin()
  return {
    url: `http://127.0.0.1:${port}`,
    projects: PROJECTS,
    folder,
    dataDir,
    refusedStarts,
    stderr: () => child.output().stderr,
    ready,
    enginePid,
    begin,
    end,
    async kill() {
      isMeant = true
      await endProcess(child, 'SIGKILL')
      // The next one is started when the last output of this one was read.
      while (child.signalCode !== null) await sleep(5)
    },
    async restart() {
      const run = await end('SIGTERM')
      begin()
      return run
    },
    killEngine() {
      const pid = enginePid()
      if (pid === undefined) return false
      // A server that is still starting says so and ends, as its supervisor expects of it.
      if (!child.output().stdout.includes(READY)) isMeant = true
      try {
        return process.kill(pid, 'SIGKILL')
      } catch {
        return false
      }
    },
    run: (command, ...args) => runNowcast([command, ...args, '--data-dir', dataDir], folder),
    async remove() {
      await end('SIGKILL')
      if (!options.folder) await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
    },
  }
}

/** Id of the parent of a living process. */
export function parentOf(pid: number): number | undefined {
  if (!Number.isInteger(pid)) return undefined
  const { stdout } = spawnSync('ps', ['-o', 'ppid=,stat=', '-p', String(pid)], { encoding: 'utf8' })
  const [parent, state] = stdout.trim().split(/\s+/)
  // A process that has ended and only waits for its exit to be noted is none.
  return !parent || state?.startsWith('Z') ? undefined : Number(parent)
}
