import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { rememberIdentities } from '../../packages/server/src/adapters/identity-files/remember-identities.ts'
import { createKafkaEventLog } from '../../packages/server/src/adapters/kafka/kafka-event-log.ts'
import { createLogReader } from '../../packages/server/src/consume/log-reader.ts'
import { nativeFormat } from '../../packages/server/src/ingest/formats/native.ts'
import { createCountryOfIp, createIngest } from '../../packages/server/src/ingest/ingest.ts'
import type { EventLog } from '../../packages/server/src/ports/event-log.ts'
import { toProject } from '../../packages/server/src/project.ts'
import type { RecordBatch } from '../../packages/server/src/record/record-batch.ts'
import { createTelemetry } from '../../packages/server/src/telemetry.ts'
import { shopBatches } from '../load/shop-batches.mjs'

/*
 * The log alone: events that were stamped beforehand are appended, and read back, without HTTP and without a stage. Told
 * `{ open }` it prepares them and answers how large they are; then it takes `{ append }` and `{ read }`, both in events.
 * With `isUnique` what is appended again has other ids. `{ readBack }` is what a stage reads that is started again, until it
 * knows the last so many events; with `fromFiles` it has what the one before it has left in files.
 */

let log: EventLog
let batches: (RecordBatch | undefined)[]
let prepared = 0
const folder = mkdtempSync(join(tmpdir(), 'nowcast-bench-identities-'))

interface Setup {
  brokers: string[]
  topic: string
  partitions: number
  /** Events of one append. */
  events: number
}

async function open({ brokers, topic, partitions, events }: Setup): Promise<{ events: number; rowBytes: number }> {
  log = createKafkaEventLog({ brokers, topic, partitions })
  await log.start()
  const project = toProject({
    ...{ id: 'bench', writeKey: 'nc_pub_bench0000', secretKey: 'nc_sec_bench0000', readSecret: 'x'.repeat(32) },
  })
  // Stamped as the server does it, into a log that only remembers.
  const kept: (RecordBatch | undefined)[][] = []
  const memory = { partitions, append: async (all: (RecordBatch | undefined)[]) => void kept.push(all) } as never
  const clock = { now: () => Date.now() }
  const metrics = createTelemetry().ingest
  const ingest = createIngest({ log: memory, clock, countryOfIp: createCountryOfIp(), metrics })
  const bodies = shopBatches({ batches: events / 100, eventsPerBatch: 100, at: Date.now() })
  const owner = { project, kind: 'write' as const }
  const connection = { ip: '127.0.0.1', userAgent: undefined, country: undefined, hints: undefined }
  await Promise.all(
    bodies.map(({ body }) =>
      ingest.accept({ owner, body: JSON.parse(String(body)), connection, format: nativeFormat }),
    ),
  )
  batches = kept[0] ?? []
  prepared = batches.reduce((sum, batch) => sum + (batch?.count ?? 0), 0)
  const bytes = batches.reduce((sum, batch) => sum + (batch?.rows.byteLength ?? 0), 0)
  return { events: prepared, rowBytes: bytes / prepared }
}

async function measured(work: () => Promise<number>): Promise<{ events: number; ms: number; cpuMs: number }> {
  const before = process.cpuUsage()
  const startedAt = performance.now()
  const events = await work()
  const ms = performance.now() - startedAt
  const { user, system } = process.cpuUsage(before)
  return { events, ms, cpuMs: (user + system) / 1000 }
}

async function append(events: number, isUnique = false): Promise<number> {
  let sent = 0
  while (sent < events) {
    await log.append(batches)
    if (isUnique) for (const batch of batches) renew(batch)
    sent += prepared
  }
  return sent
}

/** Gives every event another identity. */
function renew(batch: RecordBatch | undefined): void {
  for (let i = 0; i < (batch?.count ?? 0); i++) {
    const { ids } = batch as RecordBatch
    ids[i * 3] = (ids[i * 3] as number) + 0x9e3779b9
  }
}

/** Reads all partitions from their beginning, each in turn, as the archiver does. */
async function read(events: number): Promise<number> {
  const positions = Array.from({ length: log.partitions }, () => 0)
  let seen = 0
  while (seen < events) {
    let progress = 0
    for (const [partition, from] of positions.entries()) {
      const slice = await log.read(partition, from)
      if (!slice) continue
      const end = slice.offset + slice.batch.count
      progress += end - from
      positions[partition] = end
    }
    if (progress === 0) throw new Error(`the log ended after ${seen} events`)
    seen += progress
  }
  return seen
}

/** Fills the windows of duplicates of all partitions, as a stage does that gets them. */
async function readBack(events: number, fromFiles = false): Promise<number> {
  const offsets = Math.ceil(events / log.partitions)
  const files = { folder, offsets, onProblem: console.error }
  const source = fromFiles ? rememberIdentities(log, files) : log
  const duplicates = { duplicateOffsets: offsets, duplicateMs: 86_400_000 }
  const known = await Promise.all(
    Array.from({ length: log.partitions }, async (_, partition) => {
      const { end } = await log.extent(partition)
      await createLogReader(source, { partition, ...duplicates }).seek(end)
      return Math.min(end, duplicates.duplicateOffsets)
    }),
  )
  return known.reduce((sum, events) => sum + events, 0)
}

type Message =
  | { open: Setup }
  | { append: number; isUnique?: boolean }
  | { read: number }
  | { readBack: number; fromFiles?: boolean }

function work(message: Exclude<Message, { open: Setup }>): Promise<number> {
  if ('append' in message) return append(message.append, message.isUnique)
  return 'read' in message ? read(message.read) : readBack(message.readBack, message.fromFiles)
}

process.on('message', (message: Message) => {
  const answer: Promise<object> = 'open' in message ? open(message.open) : measured(() => work(message))
  answer.then(
    (done) => process.send?.(done),
    (error: Error) => process.send?.({ error: error.stack }),
  )
})
process.on('disconnect', async () => {
  await log?.stop()
  rmSync(folder, { recursive: true, force: true })
  process.exit()
})
