import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DuplicateWindow } from './duplicate-window.ts'

const identity = (n: number) => new Uint32Array([n % 3, Math.floor(n / 3), 7])

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
          expect(window.add(identity(event.id), 0, event.at)).toBe(isRepeat(log, o, size, 200))
        })
      },
    ),
    { numRuns: 300 },
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
        const answer = whole.add(identity(id), 0, o)
        if (o < from) return
        const lateAnswer = late.add(identity(id), 0, o)
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
    window.add(identity(0), 0, 0)
    for (let i = 1; i < distance; i++) window.add(identity(i), 0, 0)
    expect(window.add(identity(0), 0, 0)).toBe(expected)
  }
})

test('memory stops growing at the window’s size', () => {
  const window = new DuplicateWindow(5000, 1000)
  for (let i = 0; i < 6000; i++) window.add(identity(i), 0, i)
  const full = window.byteLength
  for (let i = 0; i < 20_000; i++) window.add(identity(i), 0, i)
  expect(window.byteLength).toBe(full)
  expect(full).toBeLessThanOrEqual(5001 * 20 + 16_384 * 4)
})
