import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HyperLogLog } from './hyperloglog.ts'
import { murmurHash64A } from './murmur-hash-64a.ts'

const isInstalled = spawnSync('redis-server', ['--version']).status === 0
const isSkipped = !isInstalled && process.env.CI !== 'true'
if (isSkipped) process.stderr.write('skipped: redis-server is not installed, so registers are not compared with it\n')

const texts = (count: number, text: (n: number) => string) => Array.from({ length: count }, (_, n) => text(n))

const sets: [name: string, elements: string[]][] = [
  ['the empty text', ['']],
  ['unicode', ['Zoë', '用户', '👩‍🚀', 'ж'.repeat(5000), '\u0000', 'naïve café', '😀'.repeat(33)]],
  ['17 ids', texts(17, (n) => `user-${n}`)],
  ['every length up to 200', texts(200, (n) => 'abcdefg'.repeat(30).slice(0, n))],
  ['1,400 ids', texts(1400, (n) => `${n * 7919}`)],
  ['20,000 ids', texts(20_000, (n) => `6f1c7a52-0d0e-4a3b-9a57-${n}`)],
  ['150,000 ids, one in three not ASCII', texts(150_000, (n) => (n % 3 ? `u${n}` : `ü${n}`))],
]

function sketchOf(elements: string[]): HyperLogLog {
  const sketch = new HyperLogLog()
  const hash = new Uint32Array(2)
  for (const element of elements) {
    murmurHash64A(element, hash, 0)
    sketch.add(hash[0]!, hash[1]!)
  }
  return sketch
}

describe.skipIf(isSkipped)('registers are the same as in Redis', () => {
  let directory: string | undefined
  let server: ChildProcess
  let socket: Socket

  /** Sends one command and reads its one reply: `+status`, `-error`, `:number` or `$length` and bytes. */
  async function call(...words: (string | Buffer)[]): Promise<number | Buffer> {
    const frames = words.flatMap((word) => [`$${Buffer.byteLength(word)}\r\n`, word, '\r\n'])
    socket.write(Buffer.concat([`*${words.length}\r\n`, ...frames].map((frame) => Buffer.from(frame as string))))
    let reply: Buffer = Buffer.alloc(0)
    for (;;) {
      const [chunk] = (await once(socket, 'data')) as [Buffer]
      reply = Buffer.concat([reply, chunk])
      const end = reply.indexOf('\r\n')
      if (end < 0) continue
      const kind = reply.toString('latin1', 0, 1)
      const line = reply.subarray(1, end)
      if (kind === '-') throw new Error(line.toString())
      if (kind === ':') return Number(line)
      if (kind === '+') return line
      const length = Number(line)
      if (reply.length === end + 2 + length + 2) return reply.subarray(end + 2, -2)
    }
  }

  async function add(key: string, elements: string[]): Promise<void> {
    for (let from = 0; from < elements.length; from += 5000) {
      await call('PFADD', key, ...elements.slice(from, from + 5000))
    }
  }

  beforeAll(async () => {
    if (!isInstalled) throw new Error('redis-server is not installed, and CI=true wants it')
    directory = mkdtempSync(join(tmpdir(), 'sketch-'))
    const path = join(directory, 'redis.sock')
    const options = ['--port', '0', '--unixsocket', path, '--dir', directory, '--save', '', '--appendonly', 'no']
    server = spawn('redis-server', options, { stdio: 'ignore' })
    for (let attempt = 0; ; attempt++) {
      socket = connect(path)
      const isUp = await once(socket, 'connect').then(
        () => true,
        () => false,
      )
      if (isUp) return
      if (attempt === 100) throw new Error('redis-server did not start')
      await sleep(50)
    }
  })

  afterAll(async () => {
    socket?.destroy()
    if (server?.exitCode === null && server.kill()) await once(server, 'exit')
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true })
  })

  it.each(sets)('after PFADD of %s', async (name, elements) => {
    const sketch = sketchOf(elements)
    await add(name, elements)
    const theirs = HyperLogLog.fromRedis((await call('GET', name)) as Buffer)
    expect(theirs.toSparse()).toEqual(sketch.toSparse())
    expect(Buffer.compare(theirs.toDense(), sketch.toDense())).toBe(0)
    expect(Math.round(sketch.estimate())).toBe(await call('PFCOUNT', name))
  })

  it('in what we SET, which Redis counts, adds to and merges', async () => {
    const all = new HyperLogLog()
    for (const [name, elements] of sets) {
      const sketch = sketchOf(elements)
      all.merge(sketch)
      await call('SET', `ours ${name}`, sketch.toRedis())
      expect(await call('PFCOUNT', `ours ${name}`)).toBe(Math.round(sketch.estimate()))
      expect(await call('PFADD', `ours ${name}`, ...elements.slice(0, 100))).toBe(0)
    }
    await call('PFMERGE', 'merged', ...sets.map(([name]) => `ours ${name}`))
    const merged = HyperLogLog.fromRedis((await call('GET', 'merged')) as Buffer)
    expect(Buffer.compare(merged.toDense(), all.toDense())).toBe(0)
    expect(await call('PFCOUNT', 'merged')).toBe(Math.round(all.estimate()))
  })
})
