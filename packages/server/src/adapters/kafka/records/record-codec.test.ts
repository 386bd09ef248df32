import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cellKey } from '../../../record/cell.ts'
import { NO_EVENT, type RecordBatch } from '../../../record/record-batch.ts'
import { RecordBatchBuilder } from '../../../record/record-batch-builder.ts'
import { crc32c } from '../wire/crc32c.ts'
import { decodeRecords } from './decode-records.ts'
import { createRecordEncoder } from './encode-records.ts'
import { BATCH } from './event-header.ts'

const text = fc.oneof(fc.string({ maxLength: 30 }), fc.string({ unit: 'binary', maxLength: 12 }))
const wellFormed = text.map((value) => value.replaceAll('\0', ' ').toWellFormed())
const word = fc.integer({ min: 0, max: 2 ** 32 - 1 })
const event = fc.record({
  key: wellFormed,
  receivedAt: fc.integer({ min: 0, max: 4e12 }),
  time: fc.integer({ min: -1e12, max: 4e12 }),
  revenue: fc.option(fc.integer({ min: -1e13, max: 1e13 }), { nil: undefined }),
  words: fc.array(word, { minLength: 7, maxLength: 7 }),
  cell: fc.record({
    project: fc.constantFrom('shop', 'b'),
    name: wellFormed,
    country: fc.constantFrom('DE', '(none)'),
    device: fc.constant('mobile'),
    category: wellFormed,
    hot1: wellFormed,
    hot2: fc.constant(''),
    unconverted: fc.constant(''),
  }),
  row: fc.object({ maxDepth: 1 }).map((row) => JSON.stringify(row)),
})

type Event = Parameters<RecordBatchBuilder['add']>[0] & { words: number[] }

function batchOf(events: readonly Event[]): RecordBatch {
  const builder = new RecordBatchBuilder(4, 64)
  for (const one of events) {
    const n = builder.count
    builder.ids.set(one.words.slice(0, 3), n * 3)
    builder.users.set(one.words.slice(3, 5), n * 2)
    builder.sessions.set(one.words.slice(5, 7), n * 2)
    builder.add(one)
  }
  return builder.finish()
}

/** The batch in as many pieces as `maxBytes` makes of it, at the offsets that a broker would give them. */
async function encoded(batch: RecordBatch, maxBytes: number, base = 0): Promise<Buffer> {
  const encoder = createRecordEncoder()
  const pieces: Buffer[] = []
  for (let from = 0; from < batch.count; ) {
    const { bytes, to } = await encoder.encode(batch, from, maxBytes)
    bytes.writeBigInt64BE(BigInt(base + from), BATCH.baseOffset)
    pieces.push(bytes)
    from = to
  }
  return Buffer.concat(pieces)
}

const rowOf = ({ rows, rowEnds }: RecordBatch, i: number) =>
  Buffer.from(rows).toString('utf8', i === 0 ? 0 : rowEnds[i - 1], rowEnds[i])

describe('the record codec', () => {
  test('gives back every column of every event, however the batch is split', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(event, { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 20_000 }),
        async (events, maxBytes) => {
          const batch = batchOf(events)
          const decoded = decodeRecords(await encoded(batch, maxBytes, 100), 100)
          expect(decoded?.offset).toBe(100)
          expect(decoded?.foreign).toBeUndefined()
          const found = decoded?.batch as RecordBatch
          expect(found.count).toBe(batch.count)
          for (const column of ['ids', 'receivedAt', 'time', 'users', 'sessions', 'revenue', 'flags'] as const) {
            expect(found[column]).toEqual(batch[column])
          }
          for (let i = 0; i < batch.count; i++) {
            expect(rowOf(found, i)).toBe(rowOf(batch, i))
            const cellOf = ({ cells, cell }: RecordBatch) => cellKey(cells[cell[i] as number] as (typeof cells)[number])
            expect(cellOf(found)).toBe(cellOf(batch))
          }
          const identities = decodeRecords(await encoded(batch, maxBytes, 100), 100, 'identities')?.batch
          expect(identities?.ids).toEqual(batch.ids)
          expect(identities?.receivedAt).toEqual(batch.receivedAt)
        },
      ),
      { numRuns: 60 },
    )
  })

  const simple = (n: number): Event => ({
    key: 'shop:u',
    receivedAt: n,
    time: n,
    revenue: undefined,
    words: [n, 1, 2, 3, 4, 5, 6],
    cell: {
      ...{ project: 'shop', name: 'click', country: 'DE', device: 'mobile', category: '(none)' },
      ...{ hot1: '', hot2: '', unconverted: '' },
    },
    row: `{"n":${n}}`,
  })
  const simples = (from: number, to: number) => batchOf(Array.from({ length: to - from }, (_, i) => simple(from + i)))
  /** With the checksum that its bytes have now. */
  const sealed = (bytes: Buffer) => {
    bytes.writeUInt32BE(crc32c(bytes, BATCH.attributes), BATCH.crc)
    return bytes
  }

  test('fills gaps between and before batches with slots that hold no event', async () => {
    const bytes = Buffer.concat([await encoded(simples(0, 2), 1e6, 3), await encoded(simples(0, 1), 1e6, 7)])
    const decoded = decodeRecords(bytes, 1)
    expect(decoded?.offset).toBe(1)
    const isEvent = Array.from(decoded?.batch.flags ?? [], (flag) => (flag & NO_EVENT) === 0)
    expect(isEvent).toEqual([false, false, true, true, false, false, true])
    expect([rowOf(decoded?.batch as RecordBatch, 2), rowOf(decoded?.batch as RecordBatch, 6)]).toEqual([
      '{"n":0}',
      '{"n":0}',
    ])
    expect(decoded?.foreign).toMatchObject({ offset: 1, count: 4, reason: 'a gap in the offsets' })
  })

  test('fills gaps that compaction has left in a batch', async () => {
    const bytes = await encoded(simples(0, 2), 1e6)
    // Sizes of about 150 bytes take two; behind them stand attributes, time and the offset, zigzag.
    const size = (((bytes[61] as number) & 127) | ((bytes[62] as number) << 7)) >>> 1
    const second = 63 + size
    expect(bytes[second + 4]).toBe(1 * 2)
    bytes[second + 4] = 4 * 2
    bytes.writeInt32BE(5, BATCH.lastOffsetDelta)
    const batch = decodeRecords(sealed(bytes), 0)?.batch as RecordBatch
    const isEvent = Array.from(batch.flags, (flag) => (flag & NO_EVENT) === 0)
    expect(isEvent).toEqual([true, false, false, false, true, false])
    expect(rowOf(batch, 4)).toBe('{"n":1}')
    expect(rowOf(batch, 2)).toBe('')
  })

  test('gives a gap that is longer than memory allows in parts', async () => {
    const bytes = await encoded(simples(0, 1), 1e6, 1_000_000)
    let at = 0
    let parts = 0
    while (at < 1_000_000) {
      const decoded = decodeRecords(bytes, at)
      expect(decoded?.offset).toBe(at)
      expect(decoded?.batch.count).toBeLessThan(70_000)
      at += decoded?.batch.count as number
      parts++
    }
    expect(at).toBe(1_000_001)
    expect(parts).toBe(16)
  })

  test('passes over control records and transactions', async () => {
    for (const attributes of [0x20, 0x10, 0x30]) {
      const bytes = await encoded(simples(0, 3), 1e6)
      bytes.writeInt16BE(attributes, BATCH.attributes)
      const decoded = decodeRecords(sealed(bytes), 0)
      expect(decoded?.foreign?.count).toBe(3)
    }
  })

  test('leaves a batch that a fetch has cut for the next one', async () => {
    const whole = await encoded(simples(0, 3), 1e6)
    const bytes = Buffer.concat([whole, await encoded(simples(3, 6), 1e6, 3)])
    expect(decodeRecords(bytes.subarray(0, -1), 0)?.batch.count).toBe(3)
    expect(decodeRecords(whole.subarray(0, -1), 0)).toBeUndefined()
  })

  test('refuses a batch whose checksum is wrong', async () => {
    const bytes = await encoded(simples(0, 3), 1e6)
    bytes[100] = (bytes[100] as number) ^ 1
    expect(() => decodeRecords(bytes, 0)).toThrow(/wrong checksum/)
  })

  test('survives records that are broken in any way, and keeps the offsets', async () => {
    const whole = await encoded(simples(0, 20), 1e6)
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 61, max: whole.length - 1 }),
        fc.integer({ min: 0, max: 255 }),
        async (at, byte) => {
          const bytes = Buffer.from(whole)
          bytes[at] = byte
          const decoded = decodeRecords(sealed(bytes), 0)
          expect(decoded?.batch.count).toBe(20)
          const { rowEnds = [], rows } = decoded?.batch ?? {}
          for (let i = 1; i < 20; i++) expect(rowEnds[i]).toBeGreaterThanOrEqual(rowEnds[i - 1] as number)
          expect(rowEnds[19]).toBeLessThanOrEqual(rows?.byteLength as number)
        },
      ),
    )
  })
})
