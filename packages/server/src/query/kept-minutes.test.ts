import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Measure } from '../ports/event-store.ts'
import type { Cell } from '../record/cell.ts'
import type { CellDelta, MinuteDelta } from '../window/minute-delta.ts'
import { MINUTE_MS, WindowCube } from '../window/window-cube.ts'
import { createKeptMinutes, type KeptMinutes, type MinutesRequest } from './kept-minutes.ts'
import { GroupSums } from './minute-sums.ts'

const HOUR = 3_600_000
const MINUTES = 100
const MEASURES: Measure[] = ['events', 'page_views', 'purchases', 'revenue', 'orders', 'order_revenue']

const cells = fc
  .record({ name: fc.constantFrom('page_view', 'purchase', 'search'), country: fc.constantFrom('US', 'DE', 'FR') })
  .map(({ name, country }): Cell => {
    return { ...{ project: 'p', name, country, device: 'mobile', category: '', hot1: '', hot2: '' }, unconverted: '' }
  })

const deltas = fc.record({
  cell: cells,
  minute: fc.nat(MINUTES - 1),
  users: fc.array(fc.nat(400), { minLength: 1, maxLength: 30 }),
  revenue: fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
})

const steps = fc.array(
  fc.oneof(
    fc.record({ flush: fc.array(deltas, { minLength: 1, maxLength: 6 }) }),
    fc.record({ forgetBefore: fc.nat(MINUTES / 4) }),
    fc.constant({ anotherStore: true as const }),
  ),
  { minLength: 1, maxLength: 12 },
)

const QUESTIONS: MinutesRequest[] = [
  { project: 'p', filters: [], bots: false, breakdown: undefined, keys: undefined },
  ...[undefined, ['US']].map((keys) => ({
    ...{ project: 'p', bots: false, breakdown: 'country' as const, keys },
    filters: [{ dimension: 'name' as const, values: ['purchase', 'page_view'] }],
  })),
]
const STRETCHES = [
  [0, MINUTES],
  [30, 90],
  [7, 12],
  [31, 32],
].map(([from = 0, to = 0]) => [HOUR + from * MINUTE_MS, HOUR + to * MINUTE_MS] as const)

function toDelta({ cell, minute, users, revenue }: { cell: Cell; minute: number; users: number[]; revenue: number }) {
  const refund = revenue < 0 ? { refunds: 1, refundRevenue: revenue } : { refunds: 0, refundRevenue: 0 }
  const hashes = users.flatMap((user) => [Math.imul(user + 1, 0x9e3779b1) >>> 0, Math.imul(user + 7, 0x85ebca6b) >>> 0])
  const delta: CellDelta = { cell, events: users.length, revenue, ...refund, users: hashes, sessions: hashes.slice(2) }
  return { project: 'p', minute: HOUR + minute * MINUTE_MS, cells: [delta] } satisfies MinuteDelta
}

/** Everything that a question may be answered from, as text. */
function answers(kept: KeptMinutes, cube: WindowCube): string[] {
  const windows = cube.projects.get('p')
  return QUESTIONS.flatMap((question, i) => {
    const minutes = kept.of(`cells ${i > 0}`, question)
    minutes.update(windows)
    return STRETCHES.map(([from, to]) => {
      const sums = new GroupSums()
      minutes.addSums(windows, from, to, sums)
      const told = sums.groups.map(
        (group) => `${minutes.selection.keys[group]} ${MEASURES.map((m) => sums.value(group, m))}`,
      )
      const counts = (['users', 'buyers', 'sessions'] as const).flatMap((kind) =>
        Array.from(minutes.count(windows, kind, from, to))
          .filter(([, count]) => count > 0)
          .map(([group, count]) => `${kind} ${minutes.selection.keys[group]} ${count}`),
      )
      return [...told.sort(), ...counts.sort()].join('; ')
    })
  })
}

test('what is kept of minutes answers as what is computed anew, whatever came, changed or went', () => {
  fc.assert(
    fc.property(steps, fc.constantFrom(undefined, 60_000), (all, mostBytes) => {
      const kept = createKeptMinutes(mostBytes)
      let cube = new WindowCube()
      for (const step of all) {
        if ('flush' in step) cube.apply(step.flush.map(toDelta), [], 0, 0)
        else if ('anotherStore' in step) cube = new WindowCube()
        else cube.tidy(HOUR + 200 * MINUTE_MS, HOUR + step.forgetBefore * MINUTE_MS, 0)
        expect(answers(kept, cube)).toEqual(answers(createKeptMinutes(), cube))
        kept.settle()
      }
    }),
    { numRuns: 150 },
  )
})

test('what is kept stays within its bytes, and is empty of minutes that are gone', () => {
  const kept = createKeptMinutes(200_000)
  const cube = new WindowCube()
  const cell = { project: 'p', name: 'search', country: 'US', device: 'mobile', category: '', hot1: '', hot2: '' }
  for (let minute = 0; minute < MINUTES; minute++) {
    const users = Array.from({ length: 200 }, (_, i) => i * 7 + minute)
    cube.apply([toDelta({ cell: { ...cell, unconverted: '' }, minute, users, revenue: 1 })], [], 0, 0)
  }
  const windows = cube.projects.get('p')
  for (let i = 0; i < 20; i++) {
    const about = { project: 'p', filters: [], bots: i % 2 === 0, breakdown: undefined, keys: undefined }
    const minutes = kept.of(`cells ${i}`, about)
    minutes.update(windows)
    for (let at = HOUR; at < HOUR + MINUTES * MINUTE_MS; at += MINUTE_MS)
      minutes.count(windows, 'users', at, at + MINUTE_MS)
    expect(minutes.byteLength).toBeGreaterThan(60_000)
    kept.settle()
    expect(kept.byteLength).toBeLessThanOrEqual(200_000)
    if (i < 19) continue
    cube.tidy(HOUR + 400 * MINUTE_MS, HOUR + 300 * MINUTE_MS, 0)
    minutes.update(windows)
    minutes.count(windows, 'users', HOUR, HOUR + MINUTE_MS)
    kept.of(`cells ${i}`, about)
    kept.settle()
    // The numbers that were counted go later; no sum and no sketch is left.
    expect(minutes.byteLength).toBeLessThan(25_000)
  }
})
