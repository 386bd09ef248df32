import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ENGINE = fileURLToPath(new URL('../../packages/server/dist/engine.js', import.meta.url))
const PASSWORD = 'the password of the test engine'
const START_MS = 90_000
const READERS = 3

/** How a ClickHouse and its user are set up, in the words of its own configuration. */
export interface ClickHouseSetUp {
  /** XML of the user's profile: settings, and constraints of settings. */
  profile?: string
  /** Rights that the user has as its role. @default all, without a role */
  rights?: readonly string[]
  /** XML of the server's own settings. */
  server?: string
}

/** ClickHouse's engine in a process of its own, which answers ClickHouse's HTTP interface. */
export interface TestClickHouse {
  /** Where it listens now; another port after each start. */
  readonly target: { port: number }
  /** The address that a server is given, if something on `port` passes on to {@link target}. */
  urlOn(port: number): string
  /** Runs a statement and answers what it prints. */
  run(statement: string): Promise<string>
  kill(): Promise<void>
  /** Starts it again on the same data. @param setUp another one from now on */
  start(setUp?: ClickHouseSetUp): Promise<void>
  /** Takes all rights of its role from the user that is logged in, or gives them back. */
  withRights(has: boolean): Promise<void>
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void
  /** Ends it and deletes its data. */
  remove(): Promise<void>
}

/** Starts an engine on an empty folder. It ends with this process. */
export async function startClickHouse(first: ClickHouseSetUp = {}): Promise<TestClickHouse> {
  const folder = await mkdtemp(join(tmpdir(), 'nowcast-clickhouse-'))
  const dataDir = join(folder, 'data')
  const target = { port: 0 }
  let child: ChildProcess | undefined

  async function start(setUp?: ClickHouseSetUp): Promise<void> {
    if (setUp) await write(folder, setUp)
    const started = spawn(process.execPath, [ENGINE], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { ...process.env, UV_THREADPOOL_SIZE: '12' },
    })
    child = started
    let stderr = ''
    started.stderr?.on('data', (text) => {
      stderr = (stderr + text).slice(-4000)
    })
    const options = { memoryBytes: 2 ** 31, bodyBytes: 256 * 1024 * 1024, readers: READERS }
    started.send({ type: 'open', dataDir, password: PASSWORD, ...options }, () => {})
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

  async function run(statement: string): Promise<string> {
    const authorization = `Basic ${Buffer.from(`default:${PASSWORD}`).toString('base64')}`
    const init = { method: 'POST', body: statement, headers: { authorization } }
    const answer = await fetch(`http://127.0.0.1:${target.port}`, init)
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${statement}: ${text}`)
    return text.trim()
  }

  await start(first)
  return {
    target,
    urlOn: (port) => `http://default:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}`,
    run,
    async withRights(has) {
      const change = `SET ROLE ${has ? 'DEFAULT' : 'NONE'}`
      // Of each of its sessions, which answer at the same time.
      const readers = Array.from({ length: READERS }, () => run(`SELECT sleep(0.5);\n${change}`))
      await Promise.all([run(change), ...readers])
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

/** The files that the engine reads beside its own. */
async function write(folder: string, { profile = '', rights, server = '' }: ClickHouseSetUp): Promise<void> {
  const users = join(folder, 'users.xml')
  const beside = join(folder, 'data', 'nowcast-engine.d')
  await mkdir(beside, { recursive: true })
  const grants = (lines: readonly string[]) =>
    `<grants>${lines.map((line) => `<query>GRANT ${line}</query>`).join('')}</grants>`
  // What a role takes with it, the user cannot have by itself.
  const role = rights && `<roles><nowcast>${grants(rights)}</nowcast></roles>`
  const own = rights ? grants(['SHOW ON *.*', 'SELECT ON system.*', 'nowcast']) : ''
  await writeFile(
    users,
    `<clickhouse>
  <profiles><default>${profile}</default></profiles>
  <quotas><default/></quotas>
  ${role ?? ''}
  <users>
    <default>
      <password/><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota>${own}
    </default>
  </users>
</clickhouse>`,
  )
  await writeFile(join(beside, 'set-up.xml'), `<clickhouse><users_config>${users}</users_config>${server}</clickhouse>`)
}
