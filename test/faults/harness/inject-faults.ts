import { watch } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { SeededRandom } from './seeded-random.ts'
import type { SupervisedServer } from './supervised-server.ts'

/** When the process is killed, and which. */
const FAULTS = [
  'server at any time',
  'server when a request was sent',
  'server when a batch was acknowledged',
  'server during an insert',
  'server while it starts',
  'engine at any time',
  'engine during an insert',
  'engine while it starts',
] as const
export type Fault = (typeof FAULTS)[number]

export interface FaultInjectorOptions {
  server: SupervisedServer
  random: SeededRandom
  kills: number
}

export interface FaultInjector {
  /** To be told by the clients. */
  onMoment(moment: 'sent' | 'acknowledged'): void
  /** Kills as often as told; answers what was killed when. */
  run(): Promise<ReadonlyMap<Fault, number>>
}

/** How long a moment is waited for; inserts come about once a second. */
const MOMENT_MS = 4000

/** Kills the server, or its engine alone, at moments that the seed chooses. */
export function createFaultInjector({ server, random, kills }: FaultInjectorOptions): FaultInjector {
  const waiting = new Map<'sent' | 'acknowledged', () => void>()

  const moment = (name: 'sent' | 'acknowledged') =>
    Promise.race([new Promise<void>((resolve) => waiting.set(name, resolve)), sleep(MOMENT_MS)])

  /** Resolves when the rows of an insert reach the engine. */
  function insertion(): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer)
        watcher.close()
        resolve()
      }
      const timer = setTimeout(end, MOMENT_MS)
      const watcher = watch(join(server.dataDir, 'clickhouse', 'nowcast-insert.rows'), end)
    })
  }

  /** Kills the engine; waits for one that is just starting. */
  async function killEngine(): Promise<void> {
    while (!server.killEngine()) await sleep(20)
  }

  async function inject(fault: Fault): Promise<void> {
    if (fault !== 'server while it starts' && fault !== 'engine while it starts') {
      await server.ready()
      await sleep(random.between(0, 1200))
    }
    switch (fault) {
      case 'server at any time':
        return server.kill()
      case 'server when a request was sent':
        await moment('sent')
        await sleep(random.between(0, 8))
        return server.kill()
      case 'server when a batch was acknowledged':
        await moment('acknowledged')
        await sleep(random.between(0, 4))
        return server.kill()
      case 'server during an insert':
        await insertion()
        await sleep(random.between(0, 60))
        return server.kill()
      case 'server while it starts':
        await sleep(random.between(50, 1500))
        return server.kill()
      case 'engine at any time':
        return killEngine()
      case 'engine during an insert':
        await insertion()
        await sleep(random.between(0, 60))
        return killEngine()
      case 'engine while it starts':
        // Of a server that has just been killed as well.
        await server.kill()
        return killEngine()
    }
  }

  return {
    onMoment(name) {
      waiting.get(name)?.()
      waiting.delete(name)
    },
    async run() {
      const done = new Map<Fault, number>()
      for (let i = 0; i < kills; i++) {
        const fault = i < FAULTS.length ? (FAULTS[i] as Fault) : random.pick(FAULTS)
        await inject(fault)
        done.set(fault, (done.get(fault) ?? 0) + 1)
      }
      return done
    },
  }
}
