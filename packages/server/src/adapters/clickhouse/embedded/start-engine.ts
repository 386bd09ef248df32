import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { totalmem } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { NowcastError } from '../../../errors.ts'
import type { FromEngine, ToEngine } from './engine-messages.ts'

const MAX_STDERR = 8192
/** How long a directory may be held by an engine whose parent was just killed. */
const LOCK_PATIENCE_MS = 5000
const STOP_PATIENCE_MS = 15_000

export interface StartEngineOptions {
  /** Where ClickHouse keeps its files; made if it is not there. */
  dataDir: string
  /** Memory of all queries together, bytes. @default a quarter of the machine's, 1–8 GiB */
  memoryBytes?: number
  /** Largest body of a request, bytes. @default 256 MiB */
  bodyBytes?: number
  /** Queries that may run at once, beside one insert. @default 3 */
  readers?: number
  /** File of the engine's process. @default `engine.js` beside this module */
  entry?: string
}

/** How the engine's process ended. */
export interface EngineExit {
  code: number | null
  signal: string | null
  /** The end of what it wrote to stderr. */
  stderr: string
}

/** An engine that answers ClickHouse's HTTP interface. */
export interface RunningEngine {
  url: string
  username: string
  password: string
  pid: number
  /** ClickHouse's version. */
  version: string
  /** Lets running statements end, then ends the process. */
  stop(): Promise<void>
  /** Ends the process at once; resolves when it is gone, so that nothing it was doing can still land. */
  kill(): Promise<void>
  exited: Promise<EngineExit>
}

/**
 * Starts the embedded engine in a process of its own that ends with this one.
 * @throws NowcastError `archive_unavailable` that says what to do: chdb missing, directory held, not writable, disk full
 */
export async function startEngine(options: StartEngineOptions): Promise<RunningEngine> {
  const giveUpAt = Date.now() + LOCK_PATIENCE_MS
  for (;;) {
    const attempt = await launch(options)
    if ('engine' in attempt) return attempt.engine
    if (!attempt.held || Date.now() >= giveUpAt) throw attempt.error
    await sleep(200)
  }
}

type Attempt = { engine: RunningEngine } | { error: NowcastError; held: boolean }

async function launch(options: StartEngineOptions): Promise<Attempt> {
  const dataDir = resolve(options.dataDir)
  const password = randomBytes(32).toString('base64url')
  const entry = options.entry ?? fileURLToPath(new URL('./engine.js', import.meta.url))
  const child = spawn(process.execPath, [entry], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    // Each session's native call holds a libuv thread.
    env: { ...process.env, UV_THREADPOOL_SIZE: '12' },
  })
  const exited = watchExit(child)
  const opening: ToEngine = {
    type: 'open',
    dataDir,
    password,
    memoryBytes: options.memoryBytes ?? usualMemoryBytes(),
    bodyBytes: options.bodyBytes ?? 256 * 1024 * 1024,
    readers: options.readers ?? 3,
  }
  // A child that dies at once tells so by its exit.
  child.send(opening, () => {})
  const first = await Promise.race([firstMessage(child), exited])
  if (!('type' in first) || first.type !== 'ready') {
    const exit = await exited
    return explain(dataDir, 'type' in first ? first : undefined, exit)
  }
  const kill = async () => {
    child.kill('SIGKILL')
    await exited
  }
  const engine: RunningEngine = {
    url: `http://127.0.0.1:${first.port}`,
    username: 'default',
    password,
    pid: child.pid as number,
    version: first.version,
    exited,
    kill,
    async stop() {
      if (child.connected) child.send({ type: 'stop' } satisfies ToEngine, () => {})
      const patience = new AbortController()
      const late = sleep(STOP_PATIENCE_MS, undefined, { signal: patience.signal }).then(kill, () => {})
      await Promise.race([exited, late])
      patience.abort()
    },
  }
  return { engine }
}

function usualMemoryBytes(): number {
  // What a container may use; 0 or more than there is without a limit.
  const limit = process.constrainedMemory() || Number.POSITIVE_INFINITY
  return Math.floor(Math.min(Math.max(Math.min(limit, totalmem()) / 4, 2 ** 30), 2 ** 33))
}

function firstMessage(child: ChildProcess): Promise<FromEngine> {
  return new Promise((resolve) => child.once('message', (message) => resolve(message as FromEngine)))
}

function watchExit(child: ChildProcess): Promise<EngineExit> {
  let stderr = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-MAX_STDERR)
  })
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: null, signal: null, stderr: error.message }))
    child.once('close', (code, signal) => resolve({ code, signal, stderr }))
  })
}

function explain(dataDir: string, message: FromEngine | undefined, exit: EngineExit): Attempt {
  const failure = message?.type === 'failed' ? message : undefined
  const text = `${failure?.message ?? ''}\n${exit.stderr}`.trim()
  const attempt = (sentence: string, held = false): Attempt => ({
    error: new NowcastError('archive_unavailable', sentence, { retryable: held, cause: new Error(text) }),
    held,
  })
  if (failure?.reason === 'missing') {
    return attempt(
      'The embedded ClickHouse engine is not installed here: run `npm install chdb@3.4.0` (Linux with glibc, or macOS), ' +
        'or give --clickhouse with the address of a ClickHouse server',
    )
  }
  if (/Cannot lock file|already running/i.test(text)) {
    return attempt(
      `${dataDir} is in use by another process${holder(dataDir)}: stop it, or give another --data-dir`,
      true,
    )
  }
  if (/No space left|ENOSPC/i.test(text))
    return attempt(`The disk that holds ${dataDir} is full: make room and start again`)
  if (/Permission denied|EACCES|EPERM|EROFS|Read-only/i.test(text)) {
    return attempt(`${dataDir} is not writable by this user: change its owner, or give another --data-dir`)
  }
  const how = exit.signal ? `was ended by ${exit.signal}` : `ended with code ${exit.code}`
  return attempt(`The embedded ClickHouse engine did not start in ${dataDir}: it ${how}. ${text}`)
}

/** ClickHouse notes the process that holds a directory in its file `status`. */
function holder(dataDir: string): string {
  try {
    const pid = /PID: (\d+)/.exec(readFileSync(join(dataDir, 'status'), 'utf8'))?.[1]
    return pid === undefined ? '' : ` (pid ${pid})`
  } catch {
    return ''
  }
}
