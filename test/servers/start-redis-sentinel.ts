import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePorts } from '../../scripts/loopback-ports.mjs'
import { askRedis, startRedis, type TestRedis } from './start-redis.ts'

const START_MS = 30_000

/** A master, a replica of it, and a Sentinel that promotes the replica a second after the master has gone. */
export interface TestRedisSentinel {
  /** For `--redis`. */
  url: string
  master: TestRedis
  replica: TestRedis
  /** Resolves when the replica has the fields and values of the master's fence. */
  replicaHas(fence: readonly string[]): Promise<void>
  /** From now on the replica learns nothing new. */
  holdReplication(): Promise<void>
  remove(): Promise<void>
}

export async function startRedisSentinel(): Promise<TestRedisSentinel> {
  const folder = await mkdtemp(join(tmpdir(), 'nowcast-sentinel-'))
  const master = await startRedis()
  const replica = await startRedis()
  await replica.command('REPLICAOF', '127.0.0.1', String(master.port))
  const [port] = (await freePorts(1)) as [number]
  const file = join(folder, 'sentinel.conf')
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${folder}`,
    `sentinel monitor main 127.0.0.1 ${master.port} 1`,
    'sentinel down-after-milliseconds main 1000',
    'sentinel failover-timeout main 5000',
  ]
  await writeFile(file, `${lines.join('\n')}\n`)
  const child: ChildProcess = spawn('redis-server', [file, '--sentinel'], { stdio: 'ignore' })

  async function remove(): Promise<void> {
    if (child.exitCode === null && child.signalCode === null) {
      const exit = once(child, 'exit')
      child.kill('SIGKILL')
      await exit
    }
    await Promise.all([master.remove(), replica.remove()])
    await rm(folder, { recursive: true, force: true })
  }

  const deadline = Date.now() + START_MS
  for (;;) {
    const replicas = await askRedis(port, ['SENTINEL', 'REPLICAS', 'main']).catch(() => '')
    // Known, and its link is up.
    if (replicas.includes(String(replica.port)) && replicas.includes('master-link-status\nok')) break
    if (Date.now() > deadline || child.exitCode !== null) {
      await remove()
      throw new Error(`Sentinel does not find the replica: ${replicas}`)
    }
    await sleep(100)
  }

  return {
    url: `redis+sentinel://127.0.0.1:${port}/main`,
    master,
    replica,
    async replicaHas(fence) {
      while ((await replica.command('HGETALL', 'nowcast:{0}:fence')) !== fence.join('\n')) await sleep(50)
    },
    async holdReplication() {
      await master.command('ACL', 'SETUSER', 'default', '-psync', '-sync')
      await master.command('CLIENT', 'KILL', 'TYPE', 'replica')
    },
    remove,
  }
}
