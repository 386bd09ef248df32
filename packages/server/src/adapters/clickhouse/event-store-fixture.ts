import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EventStore } from '../../ports/event-store.ts'
import type { ClickHouseConnectionOptions } from './clickhouse-connection.ts'
import { createClickHouseEventStore } from './clickhouse-event-store.ts'
import { bundleEngine } from './embedded/bundle-engine.ts'

/** Folders and stores of one test file, all of which {@link EventStoreFixture.cleanUp} removes. */
export interface EventStoreFixture {
  folder(): Promise<string>
  /** Opens and starts a store on an embedded engine. */
  open(dataDir: string, options?: ClickHouseConnectionOptions): Promise<EventStore>
  cleanUp(): Promise<void>
}

export function eventStoreFixture(): EventStoreFixture {
  const folders: string[] = []
  const stores: EventStore[] = []
  return {
    async folder() {
      const folder = await mkdtemp(join(tmpdir(), 'nowcast-clickhouse-'))
      folders.push(folder)
      return folder
    },
    async open(dataDir, options) {
      const store = createClickHouseEventStore({ embedded: { dataDir, entry: await bundleEngine() } }, options)
      await store.start()
      stores.push(store)
      return store
    },
    async cleanUp() {
      await Promise.all(stores.map((store) => store.stop()))
      await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })))
    },
  }
}

/** Sends a signal to the engine that holds a directory; false when there is none. */
export function signalEngine(dataDir: string, signal: NodeJS.Signals): boolean {
  try {
    const pid = Number(/PID: (\d+)/.exec(readFileSync(join(dataDir, 'status'), 'utf8'))?.[1])
    return process.kill(pid, signal)
  } catch {
    return false
  }
}
