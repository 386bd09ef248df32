import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DuplicateWindow } from './duplicate-window.ts'

/** Adds one event and tells whether it is a repeat. */
function add(window: DuplicateWindow, id: number, at: number): boolean {
  return window.add(new Uint32Array([id % 3, Math.floor(id / 3), 7]), new Float64Array([at]), 0, 1) === 1
}

function isRepeat(log: { id: number; at: number }[], o: number, size: number, maxAgeMs: number): boolean {
  const event = log[o] as { id: number; at: number }
  let latest: number | undefined
  for (let p = Math.max(0, o - size); p < o; p++) if (log[p]?.id === event.id) latest = log[p]?.at
  return latest !== undefined && Math.abs(event.at - latest) <= maxAgeMs
}

test('a duplicate is told exactly as the rule says, for any log, size and age', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ id: fc.nat(40), step: fc.nat(30) }), { maxLength: 400 }),
      fc.integer({ min: 1, max: 60 }),
      (events, size) => {
        let at = 0
        const log = events.map(({ id, step }) => {
          at += step
          return { id, at }
        })
        const window = new DuplicateWindow(size, 200)
        log.forEach((event, o) => {
          expect(add(window, event.id, event.at)).toBe(isRepeat(log, o, size, 200))
        })
      },
    ),
    { numRuns: 300 },
  )
})

test('events are told alike one at a time and many at once, forgotten ones included', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(150), { minLength: 300, maxLength: 600 }),
      fc.integer({ min: 1, max: 200 }),
      fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 1 }),
      (events, size, steps) => {
        const ids = Uint32Array.from(events.flatMap((id) => [id % 3, Math.floor(id / 3), 7]))
        const receivedAt = Float64Array.from(events, (_, o) => o)
        const log = events.map((id, at) => ({ id, at }))
        const window = new DuplicateWindow(size, 250)
        const repeats = new Uint8Array(events.length)
        for (let first = 0, step = 0; first < events.length; step++) {
          const last = Math.min(events.length, first + (steps[step % steps.length] as number))
          const told = window.add(ids, receivedAt, first, last, repeats)
          expect(told).toBe(repeats.subarray(first, last).filter((mark) => mark === 1).length)
          first = last
        }
        expect([...repeats]).toEqual(log.map((_, o) => (isRepeat(log, o, size, 250) ? 1 : 0)))
      },
    ),
  )
})

test('the state at an offset is the same however far before it the reading began', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(30), { minLength: 50, maxLength: 200 }), fc.nat(49), (ids, start) => {
      const size = 20
      const whole = new DuplicateWindow(size, 1000)
      const late = new DuplicateWindow(size, 1000)
      const from = Math.max(0, start - size)
      late.reset(from)
      ids.forEach((id, o) => {
        const answer = add(whole, id, o)
        if (o < from) return
        const lateAnswer = add(late, id, o)
        if (o >= start) expect(lateAnswer).toBe(answer)
      })
    }),
  )
})

test('the same id at distance N − 1 and N is a duplicate, at N + 1 it is not', () => {
  for (const [distance, expected] of [
    [9, true],
    [10, true],
    [11, false],
  ] as const) {
    const window = new DuplicateWindow(10, 1000)
    add(window, 0, 0)
    for (let i = 1; i < distance; i++) add(window, i, 0)
    expect(add(window, 0, 0)).toBe(expected)
  }
})

test('a ring that grows while it is full of events, and goes round, tells the same', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 900, max: 3000 }),
      fc.integer({ min: 1, max: 2 ** 31 - 1 }),
      fc.integer({ min: -10, max: 5000 }),
      (size, seed, expected) => {
        let state = seed
        const below = (limit: number) => {
          state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
          return Math.floor((state / 2 ** 32) * limit)
        }
        const log = Array.from({ length: 7000 }, (_, at) => ({ id: below(4000), at }))
        const latest = new Map<number, number>()
        const window = new DuplicateWindow(size, 2500)
        window.reset(0, expected)
        for (const { id, at } of log) {
          const before = latest.get(id)
          const wanted = before !== undefined && at - before <= Math.min(size, 2500)
          if (add(window, id, at) !== wanted) throw new Error(`event ${at} of seed ${seed}`)
          latest.set(id, at)
        }
      },
    ),
    { numRuns: 30 },
  )
})

test('room that is made at once is as much as is used', () => {
  const grown = new DuplicateWindow(5000, 10_000)
  for (let i = 0; i < 6000; i++) add(grown, i, i)
  const reserved = new DuplicateWindow(5000, 10_000)
  reserved.reset(1000, 5000)
  for (let i = 1000; i < 6000; i++) add(reserved, i, i)
  expect(reserved.byteLength).toBe(grown.byteLength)
  expect([add(reserved, 999, 6000), add(reserved, 1002, 6001)]).toEqual([false, true])
})

test('memory stops growing at the window’s size', () => {
  const window = new DuplicateWindow(5000, 1000)
  for (let i = 0; i < 6000; i++) add(window, i, i)
  const full = window.byteLength
  for (let i = 0; i < 20_000; i++) add(window, i, i)
  expect(window.byteLength).toBe(full)
  expect(full).toBeLessThanOrEqual(5001 * 20 + 8192 * 8)
})
