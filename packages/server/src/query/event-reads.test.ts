import { expect, test } from 'vitest'
import type { AggregateRequest, AggregateRow } from '../ports/event-store.ts'
import { keptReads } from './event-reads.ts'

const DAY_MS = 86_400_000
const request = (rest: Partial<AggregateRequest> = {}): AggregateRequest => ({
  ...{ project: 'p', from: 0, to: DAY_MS, filters: [], bots: false, measures: ['events'], timezone: 'UTC' },
  ...rest,
})

function countedStore(rows: number) {
  const state = { reads: 0, revision: '1' as string | undefined }
  const store = {
    revision: async () => state.revision,
    aggregate: async (): Promise<AggregateRow[]> => {
      state.reads++
      return Array.from({ length: rows }, (_, t) => ({ t, key: null, values: [BigInt(state.reads)] }))
    },
  }
  return { state, store }
}

test('a long range is read once until an event of it has come', async () => {
  const { state, store } = countedStore(1)
  const reads = keptReads(store)
  await reads.aggregate(request())
  await reads.aggregate(request({ signal: new AbortController().signal }))
  expect(state.reads).toBe(1)
  state.revision = '2'
  expect((await reads.aggregate(request()))[0]?.values).toEqual([2n])
  await reads.aggregate(request({ filters: [{ dimension: 'country', values: ['US'] }] }))
  await reads.aggregate(request({ project: 'q' }))
  expect(state.reads).toBe(4)
})

test('short ranges, and what nobody can say the revision of, are read each time', async () => {
  const { state, store } = countedStore(1)
  const reads = keptReads(store)
  for (let i = 0; i < 2; i++) await reads.aggregate(request({ to: 60_000 }))
  state.revision = undefined
  for (let i = 0; i < 2; i++) await reads.aggregate(request())
  expect(state.reads).toBe(4)
})

test('no more is kept than may be, the least recently asked for goes first', async () => {
  const { state, store } = countedStore(1)
  const reads = keptReads(store, 20)
  const ask = (day: number) => reads.aggregate(request({ from: day * DAY_MS, to: (day + 1) * DAY_MS }))
  // Five values each.
  for (const day of [1, 2, 3, 4, 1]) await ask(day)
  expect(state.reads).toBe(4)
  await ask(5)
  await ask(1)
  expect(state.reads).toBe(5)
  await ask(2)
  expect(state.reads).toBe(6)
  const large = countedStore(100)
  const bounded = keptReads(large.store, 20)
  for (let i = 0; i < 2; i++) await bounded.aggregate(request())
  expect(large.state.reads).toBe(2)
})
