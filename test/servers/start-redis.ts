import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { freePorts } from '../../scripts/loopback-ports.mjs'

const START_MS = 20_000

/** Where Redis is not installed its suites are skipped; with `CI=true` they fail instead. */
const isRedisMissing = spawnSync('redis-server', ['--version']).status !== 0
export const isRedisSkipped = isRedisMissing && process.env.CI !== 'true'

export interface StartRedisOptions {
  /** Lines of redis.conf as options: `{ maxmemory: '64mb' }`. */
  settings?: Record<string, string>
  /** Files of a certificate, for TLS on a port of its own. */
  tls?: { key: string; certificate: string }
}

/** A Redis in a process and a folder of its own. */
export interface TestRedis {
  url: string
  port: number
  /** 0 without TLS. */
  tlsPort: number
  folder: string
  /** Sends one command over a connection of its own; replies that are no error come as text. */
  command(...words: string[]): Promise<string>
  /** SIGKILL. */
  kill(): Promise<void>
  /** On the same port, with what is on disk. */
  start(): Promise<void>
  /** SIGSTOP. */
  pause(): void
  /** SIGCONT. */
  resume(): void
  /** Ends it and deletes its data. */
  remove(): Promise<void>
}

/** Starts Redis on a free port; it saves nothing unless the settings say so. */
export async function startRedis({ settings = {}, tls }: StartRedisOptions = {}): Promise<TestRedis> {
  if (isRedisMissing) throw new Error('redis-server is not installed: apt-get install redis-server')
  const folder = await mkdtemp(join(tmpdir(), 'nowcast-redis-'))
  const [port, free] = (await freePorts(2)) as [number, number]
  const tlsPort = tls ? free : 0
  const tlsSettings: Record<string, string> = tls
    ? {
        ...{ 'tls-port': String(tlsPort), 'tls-cert-file': tls.certificate, 'tls-key-file': tls.key },
        'tls-auth-clients': 'no',
      }
    : {}
  const options = {
    save: '',
    appendonly: 'no',
    dir: folder,
    bind: '127.0.0.1',
    ...tlsSettings,
    ...settings,
    port: String(port),
  }
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])
  let server: ChildProcess | undefined

  async function start(): Promise<void> {
    const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let printed = ''
    child.stdout?.on('data', (data) => {
      printed = (printed + data).slice(-4000)
    })
    server = child
    const deadline = Date.now() + START_MS
    for (;;) {
      if (child.exitCode !== null) throw new Error(`redis-server did not start: ${printed}`)
      // With a password it answers NOAUTH: that is an answer too.
      const answer = await askRedis(port, ['PING']).catch((error: Error) => error.message)
      if (/PONG|NOAUTH/.test(answer)) return
      if (Date.now() > deadline) throw new Error(`redis-server takes too long to start: ${answer} ${printed}`)
      await sleep(20)
    }
  }

  async function kill(): Promise<void> {
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return
    const exit = once(server, 'exit')
    server.kill('SIGKILL')
    await exit
  }

  await start()
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    tlsPort,
    folder,
    command: (...words) => askRedis(port, words),
    kill,
    start,
    pause: () => server?.kill('SIGSTOP'),
    resume: () => server?.kill('SIGCONT'),
    async remove() {
      await kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** A cluster of masters, each with a part of the slots. */
export interface TestRedisCluster {
  url: string
  nodes: TestRedis[]
  remove(): Promise<void>
}

const SLOTS = 16_384

/** Starts a cluster of three masters. @param settings of each node */
export async function startRedisCluster(settings: Record<string, string> = {}): Promise<TestRedisCluster> {
  const nodes: TestRedis[] = []
  try {
    for (let i = 0; i < 3; i++) {
      // The bus between the nodes needs a free port too, below 65,536.
      const [busPort] = await freePorts(1)
      const own = { 'cluster-enabled': 'yes', 'cluster-node-timeout': '2000', 'cluster-port': String(busPort) }
      nodes.push(await startRedis({ settings: { ...own, ...settings } }))
    }
    for (const [i, node] of nodes.entries()) {
      const from = Math.floor((i * SLOTS) / 3)
      const to = Math.floor(((i + 1) * SLOTS) / 3) - 1
      await node.command('CLUSTER', 'ADDSLOTSRANGE', String(from), String(to))
      await node.command('CLUSTER', 'SET-CONFIG-EPOCH', String(i + 1))
    }
    const [first, ...others] = nodes as [TestRedis, ...TestRedis[]]
    for (const { port } of others) {
      const busPort = await others.find((node) => node.port === port)?.command('CONFIG', 'GET', 'cluster-port')
      await first.command('CLUSTER', 'MEET', '127.0.0.1', String(port), String(busPort?.split('\n').at(-1)))
    }
    const deadline = Date.now() + START_MS
    for (const node of nodes) {
      for (;;) {
        const state = await node.command('CLUSTER', 'INFO')
        if (/cluster_state:ok/.test(state) && /cluster_known_nodes:3/.test(state)) break
        if (Date.now() > deadline) throw new Error(`the cluster does not come together: ${state}`)
        await sleep(50)
      }
    }
  } catch (error) {
    await Promise.all(nodes.map((node) => node.remove()))
    throw error
  }
  return {
    url: `redis://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
    nodes,
    remove: async () => {
      await Promise.all(nodes.map((node) => node.remove()))
    },
  }
}

/** One command on a connection of its own. @throws Error with the text of an error reply */
export async function askRedis(port: number, words: readonly string[]): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    socket.write(`*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`)
    let reply: Buffer = Buffer.alloc(0)
    for (;;) {
      const found = readReply(reply, 0)
      if (found) return found.text
      const [chunk] = (await once(socket, 'data', { signal: AbortSignal.timeout(START_MS) })) as [Buffer]
      reply = Buffer.concat([reply, chunk])
    }
  } finally {
    socket.destroy()
  }
}

/** The reply that begins at `at`, if all of it is there; of an array one line an element. */
function readReply(bytes: Buffer, at: number): { text: string; end: number } | undefined {
  const end = bytes.indexOf('\r\n', at)
  if (end < 0) return undefined
  const kind = String.fromCharCode(bytes[at] as number)
  const line = bytes.toString('utf8', at + 1, end)
  if (kind === '-') throw new Error(line)
  if (kind === '$') {
    const length = Number(line)
    if (length < 0) return { text: '', end: end + 2 }
    if (bytes.length < end + 2 + length + 2) return undefined
    return { text: bytes.toString('utf8', end + 2, end + 2 + length), end: end + 4 + length }
  }
  if (kind !== '*') return { text: line, end: end + 2 }
  const lines: string[] = []
  let next = end + 2
  for (let i = 0; i < Number(line); i++) {
    const element = readReply(bytes, next)
    if (!element) return undefined
    lines.push(element.text)
    next = element.end
  }
  return { text: lines.join('\n'), end: next }
}
