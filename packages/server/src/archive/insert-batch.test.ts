import { expect, test } from 'vitest'
import { REPEAT, type ReadSlice } from '../consume/log-reader.ts'
import { NO_EVENT } from '../record/record-batch.ts'
import { RecordBatchBuilder } from '../record/record-batch-builder.ts'
import { InsertBatchBuilder } from './insert-batch.ts'

const CELL = {
  ...{ project: 'p', name: 'click', country: 'US', device: 'mobile', category: '(none)' },
  ...{ hot1: '', hot2: '', unconverted: '' },
}

function slice(offset: number, rows: string[], excluded: number[]): ReadSlice {
  const builder = new RecordBatchBuilder()
  for (const row of rows) builder.add({ key: 'p:u', receivedAt: 1, time: 1, revenue: undefined, cell: CELL, row })
  const batch = builder.finish()
  const to = offset + rows.length
  const place = { partition: 3, offset, from: offset, to, first: 0, last: rows.length }
  return { ...place, batch, excluded: Uint8Array.from(excluded) }
}

const ROWS = ['{"id":"a"}', '{"id":"日本"}', '{"id":"c"}']

test('an offset without an event is passed over, and is no repeat', () => {
  const batch = new InsertBatchBuilder(7, 16, false)
  batch.add(slice(40, ROWS, [NO_EVENT, 0, NO_EVENT]))
  expect(parsed(batch.bytes())).toMatchObject([{ log_offset: 41, id: '日本' }])
  expect(batch).toMatchObject({ rows: 1, duplicates: 0 })
  expect(batch.ranges.get(3)).toEqual({ from: 40, to: 43 })
})

test('rows get their place in the log, and repeats are left out', () => {
  const batch = new InsertBatchBuilder(7, 16, false)
  batch.add(slice(40, ROWS, [0, REPEAT, 0]))
  const place = { log_epoch: 7, log_partition: 3 }
  expect(parsed(batch.bytes())).toEqual([
    { ...place, log_offset: 40, id: 'a' },
    { ...place, log_offset: 42, id: 'c' },
  ])
  expect(batch).toMatchObject({ rows: 2, duplicates: 1 })
  expect(batch.ranges.get(3)).toEqual({ from: 40, to: 43 })
})

test('leased rows all carry the time that is known only when they are sent', () => {
  const batch = new InsertBatchBuilder(7, 16, true)
  batch.add(slice(40, ROWS, [0, 0, 0]))
  batch.add(slice(43, ROWS, [0, 0, 0]))
  for (const time of [1_767_225_600_123, 1_767_225_600_456]) {
    const rows = parsed(batch.bytes(time))
    expect(rows.map((row) => row.insert_before)).toEqual(Array(6).fill(time))
    expect(rows.map((row) => row.id)).toEqual(['a', '日本', 'c', 'a', '日本', 'c'])
  }
})

function parsed(bytes: Uint8Array): Record<string, unknown>[] {
  return Buffer.from(bytes)
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
}
