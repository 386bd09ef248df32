import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Role } from '../../../packages/server/src/config.ts'
import { freePort } from '../../../scripts/loopback-ports.mjs'
import { type CliRun, endProcess, runNowcast, spawnNowcast } from '../../servers/nowcast-cli.ts'
import type { TcpProxy } from '../../servers/tcp-proxy.ts'

const READY = 'Ctrl-C stops'
const READY_MS = 150_000

/** The ways of a process to what it shares with others; each can be cut. */
export interface Ways {
  kafka: TcpProxy
  redis: TcpProxy
  clickhouse: TcpProxy
}

/** One process of the cluster; it is started again whenever it ends, unless it was told to stop. */
export interface ClusterProcess {
  name: string
  roles: readonly Role[]
  url: string
  ways: Ways
  /** Ends that nobody asked for: none may be. */
  readonly ownEnds: readonly string[]
  stderr(): string
  /** Resolves when the running process serves. */
  ready(): Promise<void>
  /** SIGKILL; another one starts at once. */
  kill(): Promise<void>
  /** Of the running process. */
  readonly pid: number
  /** SIGKILL; no other one starts. */
  die(): Promise<void>
  /** SIGSTOP or SIGCONT. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void
  /** SIGSTOP for so long, then SIGCONT. */
  pause(ms: number): Promise<void>
  /** SIGTERM; resolves with how it ended and how long that took. */
  leave(): Promise<CliRun & { ms: number }>
  /** Starts it again after `leave`. */
  join(): void
  run(command: string, ...args: string[]): Promise<CliRun>
  remove(): Promise<void>
}

export interface ClusterProcessOptions {
  name: string
  roles: readonly Role[]
  /** Of the cluster; the process gets one of its own in it. */
  folder: string
  ways: Ways
  config: Record<string, unknown>
}

/** Starts a process with some roles. */
export async function startClusterProcess(options: ClusterProcessOptions): Promise<ClusterProcess> {
  const { name, roles, ways, config } = options
  const folder = join(options.folder, name)
  const dataDir = join(folder, 'data')
  const port = await freePort()
  await mkdir(folder)
  await writeFile(join(folder, 'nowcast.config.json'), JSON.stringify(config))
  const ownEnds: string[] = []
  let child: ReturnType<typeof spawnNowcast>
  let isMeant = false
  let hasLeft = false

  /** What it says that it waits for. */
  const readiness = () => fetch(`http://127.0.0.1:${port}/readyz`).then((answer) => answer.text(), String)

  function join_(): void {
    hasLeft = false
    isMeant = false
    const place = ['--port', String(port), '--data-dir', dataDir]
    const own = spawnNowcast(['start', ...place, '--roles', roles.join()], folder)
    child = own
    own.once('close', (code, signal) => {
      if (!isMeant) ownEnds.push(`${name} ended with ${code ?? signal}: ${own.output().stderr.slice(-2000)}`)
      if (!hasLeft && child === own) join_()
    })
  }

  join_()
  return {
    name,
    roles,
    url: `http://127.0.0.1:${port}`,
    ways,
    ownEnds,
    stderr: () => child.output().stderr,
    async ready() {
      const deadline = Date.now() + READY_MS
      while (!child.output().stdout.includes(READY)) {
        if (Date.now() > deadline) {
          const words = [await readiness(), child.output().stderr.slice(-2000), ownEnds[0] ?? '']
          throw new Error(`${name} takes too long to start: ${words.join('\n')}`)
        }
        await sleep(20)
      }
    },
    async kill() {
      isMeant = true
      await endProcess(child, 'SIGKILL')
      while (child.signalCode !== null) await sleep(5)
    },
    get pid() {
      return child.pid as number
    },
    die() {
      isMeant = true
      hasLeft = true
      return endProcess(child, 'SIGKILL')
    },
    signal: (signal) => child.kill(signal),
    async pause(ms) {
      const own = child
      own.kill('SIGSTOP')
      await sleep(ms)
      own.kill('SIGCONT')
    },
    async leave() {
      const startedAt = performance.now()
      isMeant = true
      hasLeft = true
      await endProcess(child, 'SIGTERM')
      return { ...child.output(), ms: performance.now() - startedAt }
    },
    join: join_,
    run: (command, ...args) => runNowcast([command, ...args, '--data-dir', dataDir], folder, 120_000),
    async remove() {
      isMeant = true
      hasLeft = true
      // A process that is stopped does not hear of its end.
      child.kill('SIGCONT')
      await endProcess(child, 'SIGKILL')
    },
  }
}
