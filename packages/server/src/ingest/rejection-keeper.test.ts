import { pino } from 'pino'
import { expect, test } from 'vitest'
import type { StoredRejection } from '../ports/event-store.ts'
import { offendingPart } from './offending-part.ts'
import { createRejectionKeeper } from './rejection-keeper.ts'

function keeperOf(insert = async (_: readonly StoredRejection[]) => {}, options = {}) {
  const written: StoredRejection[] = []
  const state = { now: 0, unkept: 0, written }
  const keeper = createRejectionKeeper(
    {
      clock: { now: () => state.now },
      logger: pino({ level: 'silent' }),
      async insert(rejections) {
        await insert(rejections)
        written.push(...rejections)
      },
      unkept: (events) => {
        state.unkept += events
      },
    },
    options,
  )
  const keep = (project: string, code: string, item: unknown = {}) =>
    keeper.keep({ project, code, receivedAt: state.now, message: 'name must be a string', index: 0 }, item)
  return { keeper, keep, state }
}

test('a flood of one reason in one project hides no other, and ends with its hour', async () => {
  const { keeper, keep, state } = keeperOf(undefined, { perHour: 10 })
  for (let i = 0; i < 1000; i++) keep('shop', 'invalid_name')
  keep('shop', 'invalid_revenue')
  keep('blog', 'invalid_name')
  expect(state.unkept).toBe(990)
  state.now = 3_600_000
  keep('shop', 'invalid_name')
  await keeper.stop()
  expect(state.written.length).toBe(13)
})

test('a store that is away costs refused events, and neither memory nor an error', async () => {
  const { keeper, keep, state } = keeperOf(
    async () => {
      throw new Error('away')
    },
    { perHour: 100_000, maxWaiting: 50 },
  )
  for (let i = 0; i < 10_000; i++) keep('shop', 'invalid_name')
  await keeper.stop()
  expect([state.unkept, state.written.length]).toEqual([10_000, 0])
})

test('a long event is kept as the part that is wrong', () => {
  const event = { userId: 'u1', revenue: 'ten', properties: { text: 'x'.repeat(5000) } }
  expect(offendingPart(event, 'revenue must be a number')).toBe('{"revenue":"ten"}')
  expect(offendingPart({ userId: 'u1' }, 'name must be a string')).toBe('{"userId":"u1"}')
  const cut = offendingPart(event, 'properties must be at most 8192 bytes')
  expect([cut.length, cut.startsWith('{"properties":{"text":"xxx')]).toEqual([2049, true])
})

test('the key that a message carries is not kept', () => {
  const message = { writeKey: 'nc_sec_shop', key: 'nc_sec_shop', event: 7, properties: { key: 'of the piano' } }
  expect(offendingPart(message, 'event must be a string')).toBe('{"event":7,"properties":{"key":"of the piano"}}')
  const long = { ...message, properties: { text: 'x'.repeat(5000) } }
  expect(offendingPart(long, 'writeKey is not valid')).not.toContain('nc_sec')
})

test('whatever was sent can be kept', () => {
  for (const item of [undefined, null, 5, '\ud800', [], { ['__proto__']: 1 }]) {
    expect(offendingPart(item, 'an event must be a JSON object').isWellFormed()).toBe(true)
  }
  const deep = JSON.parse('['.repeat(200_000) + ']'.repeat(200_000))
  expect(offendingPart(deep, 'an event must be a JSON object')).toContain('nested')
})

test('a store that is silent keeps no stop waiting', async () => {
  const { keeper, keep } = keeperOf(() => new Promise(() => {}))
  keep('shop', 'invalid_name')
  await keeper.stop()
})
