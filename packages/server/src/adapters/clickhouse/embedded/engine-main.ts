import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { FromEngine, ToEngine } from './engine-messages.ts'
import { createEngineServer } from './engine-server.ts'
import { createEngineSession } from './engine-session.ts'
import { createInsertSpool } from './insert-spool.ts'

/*
 * The process of the embedded engine: opens ClickHouse's directory through chdb and answers ClickHouse's HTTP interface
 * on a free port of 127.0.0.1. It obeys its parent over IPC and ends with it.
 */

/** Takes the process down at once, also while a native query runs; every acknowledged insert is on disk already. */
function die(): void {
  process.kill(process.pid, 'SIGKILL')
}

function tell(message: FromEngine): Promise<void> {
  return new Promise((resolve) => {
    if (process.send) process.send(message, () => resolve())
    else resolve()
  })
}

async function fail(reason: 'missing' | 'refused', error: unknown): Promise<never> {
  await tell({ type: 'failed', reason, message: error instanceof Error ? error.message : String(error) })
  process.exit(1)
}

async function open(
  options: Extract<ToEngine, { type: 'open' }>,
  { Session, drainPending }: typeof import('chdb'),
): Promise<() => Promise<void>> {
  mkdirSync(options.dataDir, { recursive: true })
  const config = join(options.dataDir, 'nowcast-engine.xml')
  writeFileSync(config, engineConfig(options.memoryBytes))
  const connectionArgs = [`--config-file=${config}`]
  const first = new Session(options.dataDir, { connectionArgs })
  const version = first.query('SELECT version()', 'TabSeparated').trim()
  const another = () => createEngineSession(() => new Session(options.dataDir))
  const writer = another()
  const readers = Array.from({ length: options.readers }, another)
  const killer = another()
  const spool = await createInsertSpool(join(options.dataDir, 'nowcast-insert.rows'))
  const answerDir = join(options.dataDir, 'nowcast-answers')
  // What an engine that was killed left behind.
  rmSync(answerDir, { recursive: true, force: true })
  mkdirSync(answerDir, { mode: 0o700 })
  const { password, bodyBytes } = options
  const sessions = { writer, readers, killer }
  const { server, drain } = createEngineServer({ ...sessions, spool, answerDir, password, bodyBytes, version })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  await tell({ type: 'ready', port: (server.address() as AddressInfo).port, version })
  return async () => {
    await drain()
    // Inserts whose caller has gone may still run.
    await drainPending()
    for (const session of [...readers, killer, writer, first]) session.close()
    await spool.close()
  }
}

function engineConfig(memoryBytes: number): string {
  return `<clickhouse>
  <max_server_memory_usage>${memoryBytes}</max_server_memory_usage>
  <mark_cache_size>${Math.floor(memoryBytes / 16)}</mark_cache_size>
</clickhouse>
`
}

async function begin(options: Extract<ToEngine, { type: 'open' }>): Promise<() => Promise<void>> {
  const chdb = await import('chdb').catch((error: unknown) => fail('missing', error))
  return open(options, chdb).catch((error: unknown) => fail('refused', error))
}

let opened: Promise<() => Promise<void>> | undefined

process.on('disconnect', die)
// Signals for the whole group (Ctrl-C, a stopping container) are the parent's: it drains through this engine first.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
process.on('message', (message: ToEngine) => {
  if (message.type === 'open') opened = begin(message)
  else opened?.then((close) => close()).then(() => process.exit(0), die)
})
if (!process.connected) process.exit(1)
