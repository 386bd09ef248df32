import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createLogReader } from '../../consume/log-reader.ts'
import { eventLogConformance } from '../../ports/event-log.conformance.ts'
import type { EventLog } from '../../ports/event-log.ts'
import { RecordBatchBuilder } from '../../record/record-batch-builder.ts'
import { createLmdbEventLog, type LmdbEventLog } from '../lmdb/lmdb-event-log.ts'
import { rememberIdentities } from './remember-identities.ts'

const PARTITIONS = 200
const FILE_IDENTITIES = 8
const MAX_AGE_MS = 200
const CELL = {
  ...{ project: 'p', name: 'click', country: 'US', device: 'mobile', category: '(none)' },
  ...{ hot1: '', hot2: '', unconverted: '' },
}

let folder: string
let stored: LmdbEventLog
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nowcast-remember-'))
  stored = createLmdbEventLog({ path: join(folder, 'log'), partitions: PARTITIONS, tailBytes: 0 })
  await stored.start()
})
afterAll(async () => {
  await stored.stop()
  await rm(folder, { recursive: true, force: true })
})

let partitionsUsed = 0
/** Where nothing stands yet. */
const freshPartition = () => partitionsUsed++

interface Event {
  id: number
  at: number
}

async function append(partition: number, events: readonly Event[]): Promise<void> {
  if (events.length === 0) return
  const builder = new RecordBatchBuilder()
  for (const { id, at } of events) {
    builder.ids.set([id, id % 3, 7], builder.count * 3)
    builder.add({ key: 'p:u', receivedAt: at, time: at, revenue: undefined, cell: CELL, row: '{}' })
  }
  const batches: ReturnType<typeof builder.finish>[] = []
  batches[partition] = builder.finish()
  await stored.append(batches)
}

/** A process on the log that remembers in `identities-<name>`, and how it fares. */
function startRemembering(name: number | string, offsets: number, log: EventLog = stored) {
  const seen = { problems: [] as string[], file: 0, log: 0 }
  const path = join(folder, `identities-${name}`)
  // The log goes on without it.
  const remembering = rememberIdentities(seenAs(log, { stop: async () => {} }), {
    ...{ folder: path, offsets, fileIdentities: FILE_IDENTITIES },
    onProblem: (problem) => seen.problems.push(problem),
    onRead: (source, identities) => (seen[source] += identities),
  })
  return { remembering, seen, path }
}

/** The same log, but for some things. */
const seenAs = (log: EventLog, changes: Partial<EventLog>): EventLog =>
  new Proxy(log, { get: (target, key) => Reflect.get(key in changes ? changes : target, key) })

/** What a reader that begins at `from` says of each event up to `to`. */
async function excludedFrom(log: EventLog, partition: number, offsets: number, from: number, to = 1e9) {
  const reader = createLogReader(log, { partition, duplicateOffsets: offsets, duplicateMs: MAX_AGE_MS })
  await reader.seek(from)
  const excluded: number[] = []
  while (reader.position < to) {
    const slice = await reader.next(to - reader.position)
    if (!slice) break
    excluded.push(...slice.excluded.subarray(slice.first, slice.last))
  }
  return excluded
}

/** Events with an id each, `from` to `to`. */
const numbered = (from: number, to: number): Event[] =>
  Array.from({ length: to - from }, (_, i) => ({ id: from + i + 1, at: 1000 + from + i }))

/** A process that has read 100 events, and ended. */
async function rememberHundred(): Promise<number> {
  const partition = freshPartition()
  await append(partition, numbered(0, 100))
  const { remembering, seen } = startRemembering(partition, 64)
  await excludedFrom(remembering, partition, 64, 0)
  await remembering.stop()
  expect(seen.problems).toEqual([])
  return partition
}

eventLogConformance('a log whose identities are remembered', async () => {
  const path = await mkdtemp(join(tmpdir(), 'nowcast-log-'))
  return {
    async open() {
      const log = createLmdbEventLog({ path: join(path, 'log'), partitions: 3 })
      const files = { folder: join(path, 'identities'), offsets: 1000, fileIdentities: FILE_IDENTITIES }
      const remembering = rememberIdentities(log, { ...files, onProblem: expect.unreachable })
      await remembering.start()
      return remembering
    },
    cleanUp: () => rm(path, { recursive: true, force: true }),
  }
})

test('a process that starts again reads from the log only what came after the newest file', async () => {
  const partition = await rememberHundred()
  const { remembering, seen } = startRemembering(partition, 64)
  const excluded = await excludedFrom(remembering, partition, 64, 98)
  expect(excluded).toEqual([0, 0])
  // [34, 96) from files, [96, 98) from the log.
  expect(seen).toEqual({ problems: [], file: 62, log: 2 })
})

test('with another N all that is needed is read, from files where they have it', async () => {
  const partition = await rememberHundred()
  for (const [offsets, file, log] of [
    [10, 6, 4],
    [2, 0, 2],
    [64, 60, 4],
    // Nine files were kept, of 24 and later.
    [90, 72, 18],
  ] as const) {
    const { remembering, seen } = startRemembering(partition, 64)
    await excludedFrom(remembering, partition, offsets, 100)
    expect([offsets, seen]).toEqual([offsets, { problems: [], file, log }])
    await remembering.stop()
  }
})

test('what lies between two readings is read from the log', async () => {
  const partition = freshPartition()
  for (let from = 0; from < 200; from += 50) await append(partition, numbered(from, from + 50))
  const before = startRemembering(partition, 1000)
  await excludedFrom(before.remembering, partition, 16, 0, 20)
  await excludedFrom(before.remembering, partition, 16, 150)
  await before.remembering.stop()
  const { remembering, seen } = startRemembering(partition, 1000)
  await excludedFrom(remembering, partition, 200, 200)
  // The first block was read, up to 50; and then the last 16 before 150, and what follows.
  expect(seen).toEqual({ problems: [], file: 48 + 64, log: 88 })
})

test('from an offset before the files the log is read', async () => {
  const partition = await rememberHundred()
  const { remembering, seen } = startRemembering(partition, 64)
  expect(await excludedFrom(remembering, partition, 20, 20, 30)).toEqual(Array(10).fill(0))
  expect(seen).toEqual({ problems: [], file: 0, log: 20 })
})

test('a log of another epoch takes nothing from files, and deletes them', async () => {
  const partition = await rememberHundred()
  const { remembering, seen, path } = startRemembering(partition, 64, seenAs(stored, { epoch: stored.epoch + 1 }))
  await excludedFrom(remembering, partition, 64, 98, 98)
  await remembering.stop()
  expect(seen).toEqual({ problems: [], file: 0, log: 64 })
  const ofOther = (await readdir(path)).filter((name) => !name.startsWith(`${stored.epoch + 1}-`))
  expect(ofOther).toEqual([])
})

test('what the log has cut is not taken from files either', async () => {
  const partition = await rememberHundred()
  const start = 90
  const extent = async () => ({ start, identityStart: start, end: 100 })
  const { remembering, seen } = startRemembering(partition, 64, seenAs(stored, { extent }))
  await excludedFrom(remembering, partition, 64, 98)
  expect(seen).toEqual({ problems: [], file: 6, log: 2 })
})

test('a log that ends before the files, or holds other events there, is believed and not they', async () => {
  for (const events of [numbered(0, 90), [...numbered(0, 90), ...numbered(500, 510)]]) {
    const partition = await rememberHundred()
    const other = freshPartition()
    await append(other, events)
    const replaced = seenAs(stored, {
      extent: () => stored.extent(other),
      read: (_partition, from) => stored.read(other, from),
      readIdentities: (_partition, from, to) => stored.readIdentities(other, from, to),
    })
    const { remembering, seen } = startRemembering(partition, 64, replaced)
    await excludedFrom(remembering, partition, 64, 98, 98)
    await remembering.stop()
    expect(seen).toMatchObject({ problems: [expect.stringContaining('offset 95')], file: 0 })
    // Those that are there are the log's.
    const again = startRemembering(partition, 64, replaced)
    await excludedFrom(again.remembering, partition, 64, 90, 90)
    await again.remembering.stop()
    expect(again.seen.problems).toEqual([])
    expect(again.seen.file).toBeGreaterThanOrEqual(48)
  }
})

test('offsets without an event are remembered as such, whatever time they were given', async () => {
  const partition = freshPartition()
  await append(partition, numbered(0, 100))
  let given = 5000
  /** Every fourth offset, the last one of each file among them, holds no event. */
  const without = (offset: number, ids: Uint32Array, receivedAt: Float64Array) => ({
    ids: ids.map((word, i) => ((offset + Math.floor(i / 3)) % 4 === 3 ? 0 : word)),
    receivedAt: receivedAt.map((at, i) => ((offset + i) % 4 === 3 ? given++ : at)),
  })
  const gapped = seenAs(stored, {
    async read(_partition, from) {
      const slice = await stored.read(partition, from)
      const { offset = 0, batch } = slice ?? {}
      return slice && batch && { ...slice, batch: { ...batch, ...without(offset, batch.ids, batch.receivedAt) } }
    },
    async *readIdentities(_partition, from, to) {
      for await (const { offset, ids, receivedAt } of stored.readIdentities(partition, from, to))
        yield { offset, ...without(offset, ids, receivedAt) }
    },
  })
  for (const file of [0, 56]) {
    const { remembering, seen } = startRemembering(partition, 64, gapped)
    expect(await excludedFrom(remembering, partition, 64, 98)).toEqual([0, 1])
    await remembering.stop()
    expect([seen.problems, seen.file]).toEqual([[], file])
  }
})

test('a file with a bit changed costs its own identities only, and is told', async () => {
  const partition = await rememberHundred()
  const { remembering, seen, path } = startRemembering(partition, 64)
  const file = join(path, `${stored.epoch}-${partition}-48.ids`)
  const bytes = await readFile(file)
  bytes[60] = (bytes[60] as number) ^ 4
  await writeFile(file, bytes)
  await excludedFrom(remembering, partition, 64, 98)
  expect(seen).toEqual({ problems: [expect.stringContaining(file)], file: 54, log: 10 })
})

test('whatever happened to files, log and N: the same events are repeats as by the log alone', async () => {
  const damage = fc.record({
    file: fc.nat(40),
    at: fc.nat(300),
    kind: fc.constantFrom('flip', 'cut', 'delete', 'swap'),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        events: fc.array(fc.record({ id: fc.nat(30), step: fc.nat(30) }), { minLength: 30, maxLength: 250 }),
        block: fc.integer({ min: 20, max: 100 }),
        offsets: fc.tuple(fc.integer({ min: 1, max: 80 }), fc.integer({ min: 1, max: 80 })),
        readers: fc.array(fc.record({ from: fc.nat(250), events: fc.nat(100) }), { minLength: 1, maxLength: 3 }),
        resumedAt: fc.nat(250),
        trimmed: fc.option(fc.nat(120)),
        damages: fc.array(damage, { maxLength: 3 }),
      }),
      async ({ events, block, offsets, readers, resumedAt, trimmed, damages }) => {
        const partition = freshPartition()
        let at = 1000
        const log = events.map(({ id, step }) => {
          at += step
          return { id: id + 1, at }
        })
        for (let from = 0; from < log.length; from += block) await append(partition, log.slice(from, from + block))
        const before = startRemembering(partition, offsets[0])
        for (const { from, events: most } of readers) {
          const start = Math.min(from, log.length)
          await excludedFrom(before.remembering, partition, offsets[0], start, start + most)
        }
        await before.remembering.stop()
        // Each id that may be known is asked for.
        await append(
          partition,
          Array.from({ length: 31 }, (_, i) => ({ id: i + 1, at })),
        )
        if (trimmed !== null) await stored.trim(partition, trimmed, trimmed)
        const names = (await readdir(before.path).catch(() => [])).sort()
        for (const { file, at: place, kind } of names.length > 0 ? damages : []) {
          const path = join(before.path, names[file % names.length] as string)
          const bytes = await readFile(path).catch(() => Buffer.alloc(1))
          if (kind === 'delete') await rm(path, { force: true })
          else if (kind === 'cut') await writeFile(path, bytes.subarray(0, place % bytes.byteLength))
          else if (kind === 'swap')
            await writeFile(path, await readFile(join(before.path, names[0] as string)).catch(() => ''))
          else {
            bytes[place % bytes.byteLength] = (bytes[place % bytes.byteLength] as number) ^ 16
            await writeFile(path, bytes)
          }
        }
        const { start } = await stored.extent(partition)
        const from = Math.min(log.length, Math.max(start, resumedAt))
        const { remembering } = startRemembering(partition, offsets[0])
        expect(await excludedFrom(remembering, partition, offsets[1], from)).toEqual(
          await excludedFrom(stored, partition, offsets[1], from),
        )
        await remembering.stop()
      },
    ),
    { numRuns: 80 },
  )
})
