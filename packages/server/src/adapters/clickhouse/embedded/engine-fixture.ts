import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client'
import { bundleEngine } from './bundle-engine.ts'
import { type RunningEngine, type StartEngineOptions, startEngine } from './start-engine.ts'

/** Folders, engines and clients of one test file, all of which {@link EngineFixture.cleanUp} removes. */
export interface EngineFixture {
  folder(): Promise<string>
  start(dataDir: string, options?: Partial<StartEngineOptions>): Promise<RunningEngine>
  /** The unmodified client, with the right password unless another is given. */
  client(engine: RunningEngine, password?: string): ClickHouseClient
  cleanUp(): Promise<void>
}

export function engineFixture(): EngineFixture {
  const folders: string[] = []
  const engines: RunningEngine[] = []
  const clients: ClickHouseClient[] = []
  return {
    async folder() {
      const folder = await mkdtemp(join(tmpdir(), 'nowcast-engine-'))
      folders.push(folder)
      return folder
    },
    async start(dataDir, options) {
      const engine = await startEngine({ dataDir, entry: await bundleEngine(), ...options })
      engines.push(engine)
      return engine
    },
    client({ url, username, password }, other) {
      const log = { level: ClickHouseLogLevel.OFF }
      const client = createClient({ url, username, password: other ?? password, log })
      clients.push(client)
      return client
    },
    async cleanUp() {
      await Promise.all(clients.map((client) => client.close()))
      await Promise.all(engines.map((engine) => engine.stop()))
      await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })))
    },
  }
}
