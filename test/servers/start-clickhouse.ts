import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ENGINE = fileURLToPath(new URL('../../packages/server/dist/engine.js', import.meta.url))
const PASSWORD = 'the password of the test engine'
const START_MS = 90_000

/** ClickHouse's engine in a process of its own, which answers ClickHouse's HTTP interface. */
export interface TestClickHouse {
  /** Where it listens now; another port after each start. */
  readonly target: { port: number }
  /** The address that a server is given, if something on `port` passes on to {@link target}. */
  urlOn(port: number): string
  /** Runs a statement and answers what it prints. */
  run(statement: string): Promise<string>
  kill(): Promise<void>
  /** Starts it again on the same data. */
  start(): Promise<void>
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void
  /** Ends it and deletes its data. */
  remove(): Promise<void>
}

/** Starts an engine on an empty folder. It ends with this process. */
export async function startClickHouse(): Promise<TestClickHouse> {
  const folder = await mkdtemp(join(tmpdir(), 'nowcast-clickhouse-'))
  const target = { port: 0 }
  let child: ChildProcess | undefined

  async function start(): Promise<void> {
    const started = spawn(process.execPath, [ENGINE], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { ...process.env, UV_THREADPOOL_SIZE: '12' },
    })
    child = started
    let stderr = ''
    started.stderr?.on('data', (text) => {
      stderr = (stderr + text).slice(-4000)
    })
    const options = { memoryBytes: 2 ** 31, bodyBytes: 256 * 1024 * 1024, readers: 3 }
    started.send({ type: 'open', dataDir: join(folder, 'data'), password: PASSWORD, ...options }, () => {})
    target.port = await new Promise<number>((resolve, reject) => {
      const failed = (why: string) => reject(new Error(`the ClickHouse engine did not start: ${why} ${stderr}`))
      const timer = setTimeout(() => failed('it takes too long'), START_MS)
      started.once('message', (message: { type: string; port: number; message?: string }) => {
        clearTimeout(timer)
        if (message.type === 'ready') resolve(message.port)
        else failed(String(message.message))
      })
      started.once('exit', (code) => failed(`it ended with ${code}`))
    })
  }

  async function kill(): Promise<void> {
    const killed = child
    child = undefined
    if (!killed || killed.exitCode !== null || killed.signalCode !== null) return
    const exited = new Promise((resolve) => killed.once('exit', resolve))
    killed.kill('SIGKILL')
    await exited
  }

  await start()
  return {
    target,
    urlOn: (port) => `http://default:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}`,
    async run(statement) {
      const authorization = `Basic ${Buffer.from(`default:${PASSWORD}`).toString('base64')}`
      const init = { method: 'POST', body: statement, headers: { authorization } }
      const answer = await fetch(`http://127.0.0.1:${target.port}`, init)
      const text = await answer.text()
      if (!answer.ok) throw new Error(`${statement}: ${text}`)
      return text.trim()
    },
    kill,
    start,
    signal: (signal) => child?.kill(signal),
    async remove() {
      await kill()
      await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
    },
  }
}
