import { expect, test } from 'vitest'
import type { RecordBatch } from '../../record/record-batch.ts'
import { RecordBatchBuilder } from '../../record/record-batch-builder.ts'
import { HyperLogLog } from '../../sketch/hyperloglog.ts'
import { murmurHash64A } from '../../sketch/murmur-hash-64a.ts'
import { DuplicateWindow } from '../../window/duplicate-window.ts'
import { createRecordEncoder } from '../kafka/records/encode-records.ts'
import { BATCH_HEADER_BYTES, FIXED_BYTES } from '../kafka/records/event-header.ts'
import { RecordCursor } from '../kafka/records/record-cursor.ts'

/*
 * What the Java functions of the Flink job must do as this server does. The files are read by their JUnit tests; here
 * they are compared with what the server does today. After a wanted change: vitest -u.
 */
const vectors = (name: string, lines: readonly (readonly (string | number)[])[]) =>
  expect(`${lines.map((line) => line.join('\t')).join('\n')}\n`).toMatchFileSnapshot(
    `../../../../../deploy/flink/src/test/resources/${name}.tsv`,
  )

/** SplitMix64, which is the same few lines in Java. */
function numbers(seed: bigint) {
  let state = seed
  return () => {
    state = BigInt.asUintN(64, state + 0x9e3779b97f4a7c15n)
    let z = state
    z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n)
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn)
    return z ^ (z >> 31n)
  }
}

const words = new Uint32Array(2)
const hashOf = (text: string) => {
  murmurHash64A(text, words, 0)
  return ((BigInt(words[1] as number) << 32n) | BigInt(words[0] as number)).toString(16)
}

test('sketches of users are the same in Flink, byte for byte', async () => {
  const texts = ['u1', 'anna@example.com', 'Ünïcøde 🙂', '', 'a'.repeat(100)].map(hashOf)
  // No set bit that would end the rank, the highest that sparse can say, and one above it.
  const edges = ['0', (1n << 45n).toString(16), (1n << 46n).toString(16), '3fff', 'ffffffffffffffff']
  const cases: [name: string, count: number, hashes: string[]][] = [
    ['texts', 0, texts],
    ['sparse rank 32', 0, [...texts, edges[1] as string]],
    ['ranks above 32', 0, edges],
    ...[1, 2, 60, 700, 1200, 1600, 5000, 60_000].map((count): [string, number, string[]] => [`${count}`, count, texts]),
  ]
  const lines = cases.map(([name, count, hashes]) => {
    const sketch = new HyperLogLog()
    const add = (hash: bigint) => sketch.add(Number(hash & 0xffffffffn), Number(hash >> 32n))
    for (const hash of hashes) add(BigInt(`0x${hash}`))
    const next = numbers(BigInt(count))
    for (let i = 0; i < count; i++) add(next())
    return [name, count, hashes.join(), sketch.toRedis().toString('base64')]
  })
  await vectors('sketches', lines)
})

test('headers of records mean the same in Flink', async () => {
  const builder = new RecordBatchBuilder(4, 64)
  const next = numbers(1n)
  const cells = ['purchase', 'Kauf 🙂\t"x"', '(other)']
  for (const [i, name] of cells.entries()) {
    for (const [column, each] of [['ids', 3] as const, ['users', 2] as const, ['sessions', 2] as const]) {
      for (let k = 0; k < each; k++) builder[column][i * each + k] = Number(next() & 0xffffffffn)
    }
    builder.add({
      key: 'shop:u',
      receivedAt: 1_767_225_600_123 + i,
      time: 1_767_225_599_950 - i * 7_000_000,
      revenue: [199_900, -1, undefined][i],
      cell: {
        ...{ project: 'shop', name, country: 'DE', device: 'mobile', category: '(none)' },
        ...{ hot1: i === 1 ? 'tenant' : '', hot2: '', unconverted: i === 2 ? 'EUR' : '' },
      },
      row: '{}',
    })
  }
  const batch = builder.finish()
  const { bytes } = await createRecordEncoder().encode(batch, 0, 1e6)
  const records = bytes.subarray(BATCH_HEADER_BYTES)
  const cursor = new RecordCursor(records)
  const lines = cells.map((_, i) => {
    cursor.next()
    const header = records.subarray(cursor.header, cursor.header + cursor.headerBytes)
    const cell = header.subarray(FIXED_BYTES).toString('base64')
    return [header.toString('base64'), batch.receivedAt[i], batch.time[i], batch.revenue[i], ...columns(batch, i), cell]
  })
  await vectors('headers', lines as (string | number)[][])
})

/** Identity, user and session as Java reads them: words together, low ones first, with a sign. */
function columns({ ids, users, sessions }: RecordBatch, i: number): string[] {
  const long = (column: Uint32Array, at: number) =>
    BigInt.asIntN(64, (BigInt(column[at + 1] as number) << 32n) | BigInt(column[at] as number)).toString()
  return [long(ids, i * 3), String((ids[i * 3 + 2] as number) | 0), long(users, i * 2), long(sessions, i * 2)]
}

test('the same events are repeats in Flink', async () => {
  const window = new DuplicateWindow(50, 1000)
  const next = numbers(7n)
  const below = (limit: number) => Number(next() % BigInt(limit))
  let receivedAt = 1_000_000
  const lines = Array.from({ length: 2000 }, (_, offset) => {
    receivedAt += below(20) === 0 ? below(1500) : below(30) - 5
    // Identities that differ in their last word only, too.
    const id = [1 + below(24), 5, below(2)]
    const repeats = window.add(Uint32Array.from(id), Float64Array.of(receivedAt), 0, 1)
    return [offset, ...id, receivedAt, repeats]
  })
  expect(lines.filter((line) => line[5] === 1).length).toBeGreaterThan(500)
  await vectors('repeats', lines)
})
