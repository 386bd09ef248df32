import { readFileSync } from 'node:fs'
import { mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client'
import { build } from 'esbuild'
import type { EventStore } from '../../ports/event-store.ts'
import { type ClickHouseConnection, createClickHouseConnection } from './clickhouse-connection.ts'
import { type ClickHouseEventStoreOptions, createClickHouseEventStore } from './clickhouse-event-store.ts'
import { type RunningEngine, type StartEngineOptions, startEngine } from './embedded/start-engine.ts'

/**
 * Makes the engine's process runnable from the sources: Node runs no TypeScript before version 22.
 * @returns path of the bundle; it lies inside the package, so that `chdb` is found from it
 */
export async function bundleEngine(): Promise<string> {
  const file = fileURLToPath(new URL('../../../node_modules/.cache/nowcast/engine.mjs', import.meta.url))
  const entry = fileURLToPath(new URL('./embedded/engine-main.ts', import.meta.url))
  const outfile = `${file}.${process.pid}`
  const how = { bundle: true, platform: 'node', format: 'esm', target: 'node20' } as const
  await build({ ...how, entryPoints: [entry], outfile, external: ['chdb'] })
  // Test files run side by side: none may see half a bundle.
  await rename(outfile, file)
  return file
}

/** Folders, engines, clients and stores of one test file, all of which {@link ClickHouseFixture.cleanUp} removes. */
export interface ClickHouseFixture {
  folder(): Promise<string>
  engine(dataDir: string, options?: Partial<StartEngineOptions>): Promise<RunningEngine>
  /** The unmodified client, with the right password unless another is given. */
  client(engine: RunningEngine, password?: string): ClickHouseClient
  /** A started connection to an engine of its own. */
  connection(dataDir: string): Promise<ClickHouseConnection>
  /** A started store on an engine of its own. */
  store(dataDir: string, options?: ClickHouseEventStoreOptions): Promise<EventStore>
  cleanUp(): Promise<void>
}

export function clickHouseFixture(): ClickHouseFixture {
  const folders: string[] = []
  const closing: (() => Promise<void>)[] = []
  return {
    async folder() {
      const folder = await mkdtemp(join(tmpdir(), 'nowcast-clickhouse-'))
      folders.push(folder)
      return folder
    },
    async engine(dataDir, options) {
      const engine = await startEngine({ dataDir, entry: await bundleEngine(), ...options })
      closing.push(() => engine.stop())
      return engine
    },
    client({ url, username, password }, other) {
      const log = { level: ClickHouseLogLevel.OFF }
      const client = createClient({ url, username, password: other ?? password, log })
      closing.push(() => client.close())
      return client
    },
    async connection(dataDir) {
      const connection = createClickHouseConnection({ embedded: { dataDir, entry: await bundleEngine() } })
      await connection.start()
      closing.push(() => connection.stop())
      return connection
    },
    async store(dataDir, options) {
      const store = createClickHouseEventStore({ embedded: { dataDir, entry: await bundleEngine() } }, options)
      await store.start()
      closing.push(() => store.stop())
      return store
    },
    async cleanUp() {
      // The last opened first: clients before their engines.
      for (const close of closing.reverse()) await close()
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
