import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { murmur3 } from '../record/murmur3.ts'
import type { RecordBatch } from '../record/record-batch.ts'
import { RecordBatchBuilder } from '../record/record-batch-builder.ts'
import type { EventLog } from './event-log.ts'

/** A log that can be opened again over the same storage. */
export interface EventLogFixture {
  open(): Promise<EventLog>
  cleanUp(): Promise<void>
}

const CELL = {
  project: 'p',
  name: 'click',
  country: 'US',
  device: 'mobile',
  category: '(none)',
  hot1: '',
  hot2: '',
  unconverted: '',
}

/** A batch whose rows carry the numbers `from … to − 1`. */
export function batchOf(from: number, to: number, receivedAt = 1_000): RecordBatch {
  const builder = new RecordBatchBuilder()
  for (let n = from; n < to; n++) {
    murmur3(`id-${n}`, 0, builder.ids, builder.count * 3)
    builder.add({
      key: `p:sender-${n % 3}`,
      receivedAt: receivedAt + n,
      time: n,
      revenue: n % 2 ? n * 10_000 : undefined,
      cell: { ...CELL, category: `c${n % 7}é` },
      row: JSON.stringify({ n, text: 'naïve 🦉' }),
    })
  }
  return builder.finish()
}

/** A log of which some operations are others. */
export function changedLog<L extends EventLog>(log: L, other: Partial<EventLog>): L {
  return Object.create(log, Object.getOwnPropertyDescriptors(other))
}

/** Clicks of now with rows that an archive takes. */
export function clicksOf(count: number): RecordBatch {
  const builder = new RecordBatchBuilder()
  const now = Date.now()
  for (let n = 0; n < count; n++) {
    const id = `id-${n}`
    murmur3(id, 0, builder.ids, builder.count * 3)
    const row = JSON.stringify({ project: 'p', id, name: 'click', ts: now, received_at: now })
    builder.add({ key: id, receivedAt: now, time: now, revenue: undefined, cell: CELL, row })
  }
  return builder.finish()
}

/** The rows of a batch from its `first` event on, parsed. */
export function rowsOf(batch: RecordBatch, first = 0): unknown[] {
  const text = Buffer.from(batch.rows)
  return Array.from({ length: batch.count - first }, (_, i) => {
    const at = i + first
    return JSON.parse(text.subarray(at === 0 ? 0 : batch.rowEnds[at - 1], batch.rowEnds[at]).toString('utf8'))
  })
}

/** Numbers of all events of a partition from `from` on. */
export async function readNumbers(log: EventLog, partition: number, from: number): Promise<number[]> {
  const numbers: number[] = []
  let next = from
  for (;;) {
    const slice = await log.read(partition, next)
    if (!slice) return numbers
    const first = Math.max(0, next - slice.offset)
    numbers.push(...(rowsOf(slice.batch, first) as { n: number }[]).map((row) => row.n))
    next = slice.offset + slice.batch.count
  }
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)

/** What every {@link EventLog} must do. */
export function eventLogConformance(name: string, makeFixture: () => Promise<EventLogFixture>): void {
  describe(`${name} keeps the promises of an event log`, () => {
    let fixture: EventLogFixture
    let log: EventLog
    beforeEach(async () => {
      fixture = await makeFixture()
      log = await fixture.open()
    })
    afterEach(async () => {
      await log.stop()
      await fixture.cleanUp()
    })

    test('events come back in their order, with every column, from any offset', async () => {
      await log.append([batchOf(0, 10), batchOf(100, 103)])
      await log.append([batchOf(10, 25)])
      expect(await readNumbers(log, 0, 0)).toEqual(range(0, 25))
      expect(await readNumbers(log, 0, 7)).toEqual(range(7, 25))
      expect(await readNumbers(log, 1, 1)).toEqual([101, 102])
      expect(await log.read(0, 25)).toBeUndefined()
      const slice = await log.read(1, 0)
      const expected = batchOf(100, 103)
      expect(slice?.batch.count).toBe(3)
      for (const column of ['ids', 'receivedAt', 'time', 'users', 'sessions', 'revenue', 'flags', 'rowEnds'] as const) {
        expect([...(slice?.batch[column] ?? [])]).toEqual([...expected[column]])
      }
      expect(slice && Array.from(slice.batch.cell, (c) => slice.batch.cells[c])).toEqual(
        Array.from(expected.cell, (c) => expected.cells[c]),
      )
    })

    test('a log opened again goes on where it ended, as the same log', async () => {
      await log.append([batchOf(0, 10), undefined, batchOf(50, 51)])
      const { epoch, partitions } = log
      await log.stop()
      log = await fixture.open()
      expect([log.epoch, log.partitions]).toEqual([epoch, partitions])
      await log.append([batchOf(10, 12)])
      expect(await readNumbers(log, 0, 0)).toEqual(range(0, 12))
      expect((await log.extent(0)).end).toBe(12)
      expect((await log.extent(1)).end).toBe(0)
      expect((await log.extent(2)).end).toBe(1)
    })

    test('one append of many events, larger than any block, is read back in its order', async () => {
      const padding = '🦉 naïve ☃'.repeat(60)
      const builder = new RecordBatchBuilder()
      for (let n = 0; n < 4000; n++) {
        murmur3(`large-${n}`, 0, builder.ids, builder.count * 3)
        const row = JSON.stringify({ n, padding })
        builder.add({ key: `p:ünïcode-${n % 5}`, receivedAt: n, time: n, revenue: undefined, cell: CELL, row })
      }
      await log.append([builder.finish(), batchOf(0, 3)])
      expect(await readNumbers(log, 0, 0)).toEqual(range(0, 4000))
      expect(await readNumbers(log, 0, 3999)).toEqual([3999])
      expect(await readNumbers(log, 1, 0)).toEqual([0, 1, 2])
      const slice = await log.read(0, 1234)
      expect(slice && rowsOf(slice.batch)[1234 - slice.offset]).toEqual({ n: 1234, padding })
    })

    test('what was appended stays as it was when its maker writes over the batch', async () => {
      const builder = new RecordBatchBuilder()
      const append = async (n: number) => {
        murmur3(`again-${n}`, 0, builder.ids, builder.count * 3)
        const cell = { ...CELL, category: `c${n}` }
        builder.add({ key: 'p:u', receivedAt: n, time: n, revenue: n, cell, row: JSON.stringify({ n }) })
        await log.append([builder.finish()])
        builder.reset()
      }
      await append(0)
      const before = await log.read(0, 0)
      await append(1)
      for (const slice of [before, await log.read(0, 0)]) {
        expect(slice && rowsOf(slice.batch)[0]).toEqual({ n: 0 })
        expect(slice && [slice.batch.time[0], slice.batch.revenue[0]]).toEqual([0, 0])
        expect(slice?.batch.cells[slice.batch.cell[0] as number]?.category).toBe('c0')
      }
      expect(await readNumbers(log, 0, 0)).toEqual([0, 1])
    })

    test('appends that are asked for at once are written one after the other', async () => {
      const appends = Array.from({ length: 20 }, (_, i) => log.append([batchOf(i * 5, i * 5 + 5)]))
      await Promise.all(appends)
      expect(await readNumbers(log, 0, 0)).toEqual(range(0, 100))
    })

    test('readers at different places do not disturb each other', async () => {
      for (let i = 0; i < 30; i++) await log.append([batchOf(i * 10, i * 10 + 10)])
      const starts = [0, 5, 99, 100, 295, 0]
      const found = await Promise.all(starts.map((from) => readNumbers(log, 0, from)))
      expect(found).toEqual(starts.map((from) => range(from, 300)))
    })

    test('identities are those of the events, for any range', async () => {
      for (let i = 0; i < 5; i++) await log.append([batchOf(i * 10, i * 10 + 10)])
      const whole = batchOf(0, 50)
      for (const [from, to] of [
        [0, 50],
        [3, 47],
        [10, 20],
        [19, 21],
        [5, 5],
      ] as const) {
        const ids: number[] = []
        const received: number[] = []
        for await (const chunk of log.readIdentities(0, from, to)) {
          expect(chunk.offset).toBe(from + received.length)
          ids.push(...chunk.ids)
          received.push(...chunk.receivedAt)
        }
        expect(received).toEqual([...whole.receivedAt.subarray(from, to)])
        expect(ids).toEqual([...whole.ids.subarray(from * 3, to * 3)])
      }
    })

    test('the offset of a received time has everything since then at or after it', async () => {
      for (let i = 0; i < 5; i++) await log.append([batchOf(i * 10, i * 10 + 10)])
      expect(await log.offsetAt(0, 0)).toBe(0)
      expect(await log.offsetAt(0, 1_025)).toBeLessThanOrEqual(25)
      expect(await log.offsetAt(0, 1_025)).toBeGreaterThan(9)
      expect(await log.offsetAt(0, 99_999)).toBe(50)
    })

    test('whoever listens hears of new events once they can be read', async () => {
      let heard = 0
      const stop = log.onAppend(() => heard++)
      await log.append([batchOf(0, 1)])
      while (heard === 0) await new Promise((resolve) => setTimeout(resolve, 5))
      expect(await readNumbers(log, 0, 0)).toEqual([0])
      stop()
    })
  })
}
