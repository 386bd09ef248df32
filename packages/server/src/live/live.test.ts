import type { TotalAnswer } from '@nowcast/protocol'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { createTelemetry } from '../telemetry.ts'
import { createLiveHub } from './live.ts'

/** A hub whose clock and ticks are the test's. */
function hubOf() {
  const state = { now: 1_000_000, touched: () => {}, sent: [] as unknown[] }
  const hub = createLiveHub({
    clock: { now: () => state.now },
    telemetry: createTelemetry(),
    logger: pino({ enabled: false }),
    onTouched(callback) {
      state.touched = callback
      return () => {}
    },
    broadcast: (_room, message) => state.sent.push(message),
  })
  hub.start()
  /** Windows have changed, and whatever is due is computed. */
  const tick = async (laterMs: number) => {
    state.now += laterMs
    state.touched()
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve))
  }
  return { hub, state, tick }
}

/** A question that is answered with how often it was. */
function countedQuestion(key: string, everyMs = 1000) {
  const counted = { answers: 0 }
  const answer = async () => ({ kind: 'total', v: ++counted.answers }) as unknown as TotalAnswer
  return { counted, question: { key, everyMs, scope: 's', watch: () => ({ answer }) } }
}

test('a question is computed once a tick and sent once, whatever the number of its viewers', async () => {
  const { hub, state, tick } = hubOf()
  const { counted, question } = countedQuestion('a')
  const rooms = Array.from({ length: 1000 }, () => hub.join(question))
  await Promise.all(rooms.map((room) => room.ready()))
  expect(counted.answers).toBe(1)
  expect(new Set(rooms.map(({ id }) => id)).size).toBe(1)
  await tick(1000)
  await tick(1000)
  expect(counted.answers).toBe(3)
  expect(state.sent).toHaveLength(2)
  // Windows change many times a second, a question is due once.
  for (let i = 0; i < 20; i++) await tick(10)
  expect(counted.answers).toBe(3)
  await hub.stop()
})

test('what nobody watches is not computed, and who comes back in time goes on with it', async () => {
  const { hub, tick } = hubOf()
  const { counted, question } = countedQuestion('a')
  const room = hub.join(question)
  await room.ready()
  await tick(1000)
  hub.leave(room)
  await tick(1000)
  await tick(20_000)
  expect(counted.answers).toBe(2)
  expect(hub.rejoin(room.id, 'another scope')).toBeUndefined()
  expect(hub.rejoin(room.id, 's')).toBe(room)
  await tick(1000)
  expect(counted.answers).toBe(3)
  hub.leave(room)
  await tick(30_001)
  expect(hub.rejoin(room.id, 's')).toBeUndefined()
  await hub.stop()
})

test('a question that is long in coming holds up no other', async () => {
  const { hub, tick } = hubOf()
  let end = () => {}
  const never = new Promise<never>((_, reject) => {
    end = () => reject(new Error('ended'))
  })
  hub.join({ key: 'slow', everyMs: 1000, scope: 's', watch: () => ({ answer: () => never }) })
  const { counted, question } = countedQuestion('quick')
  hub.join(question)
  await tick(1000)
  await tick(1000)
  expect(counted.answers).toBe(2)
  end()
  await hub.stop()
})

test('a question whose answer never comes keeps no stop waiting', async () => {
  const { hub, tick } = hubOf()
  const answer = () => new Promise<TotalAnswer>(() => {})
  hub.join({ key: 'a', everyMs: 1000, scope: 's', watch: () => ({ answer }) })
  await tick(1000)
  await hub.stop()
})
