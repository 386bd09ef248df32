import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { checkRuns } from './check-runs.conformance.ts'
import type { EventStore, FunnelRequest, FunnelRow } from './event-store.ts'
import { dimensionValue, isSelected, type ModelEvent, rowsOf } from './event-store-model.conformance.ts'

const MINUTE_MS = 60_000
const START = Date.UTC(2025, 7, 3, 10)

/** Few users who do much at the same moments, in two epochs and partitions, not in the order of time. */
function busyEvents(): ModelEvent[] {
  let state = 7
  const random = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  const pick = <T>(values: readonly T[]) => values[random(values.length)] as T
  return Array.from({ length: 1500 }, (_, i): ModelEvent => {
    const user = random(60)
    return {
      ...{ epoch: 20 + (i > 1200 ? 1 : 0), partition: user % 2, offset: i, project: 'busy', id: `b${i}` },
      ts: START + random(40) * MINUTE_MS + pick([0, 0, 1, 30_000]),
      name: pick(['page_view', 'page_view', 'page_view', 'click', 'purchase', 'signup']),
      // One user has a second device, whose events go to another partition.
      ...(user === 0 ? { userId: 'u0', partition: random(2) } : { anonymousId: `a${user}` }),
      ...{ country: pick(['US', 'DE', '(none)']), device: pick(['desktop', 'mobile', 'bot']), category: 'shoes' },
      browser: pick(['Firefox', 'Chrome', undefined]),
      properties: pick([{}, { plan: 'pro' }]),
    }
  })
}

/** Every attempt of every user, followed event by event. */
function naiveFunnel(events: readonly ModelEvent[], request: FunnelRequest): FunnelRow[] {
  const { steps, windowMs, from, to, breakdown } = request
  const before = (a: ModelEvent, b: ModelEvent) =>
    a.ts - b.ts || (a.epoch ?? 1) - (b.epoch ?? 1) || (a.partition ?? 0) - (b.partition ?? 0) || a.offset - b.offset
  const inOrder = events.filter((e) => e.ts >= from && e.ts < to && isSelected(e, request)).sort(before)
  const byUser = new Map<string, ModelEvent[]>()
  for (const event of inOrder) {
    const user = event.userId ?? (event.anonymousId as string)
    byUser.set(user, [...(byUser.get(user) ?? []), event])
  }
  const isStep = (event: ModelEvent, step: number) => {
    const { name = '', filters = [] } = steps[step] ?? {}
    return event.name === name && isSelected(event, { ...request, bots: true, filters })
  }
  const rows = new Map<string | null, number[]>([[null, steps.map(() => 0)]])
  for (const own of byUser.values()) {
    let furthest = 0
    let begun: ModelEvent | undefined
    for (const [i, start] of own.entries()) {
      if (!isStep(start, 0)) continue
      let step = 1
      for (let j = i + 1; j < own.length && step < steps.length; j++) {
        const next = own[j] as ModelEvent
        if (next.ts - start.ts <= windowMs && isStep(next, step)) step++
      }
      if (step >= furthest) {
        furthest = step
        begun = start
      }
    }
    if (!begun) continue
    for (const key of breakdown === undefined ? [null] : [null, dimensionValue(begun, breakdown)]) {
      const users = rows.get(key) ?? steps.map(() => 0)
      rows.set(
        key,
        users.map((count, i) => count + (i < furthest ? 1 : 0)),
      )
    }
  }
  const first = ({ users }: FunnelRow) => users[0] as number
  const [whole, ...keys] = Array.from(rows, ([key, users]): FunnelRow => ({ key, users }))
  keys.sort((a, b) => first(b) - first(a) || ((a.key ?? '') < (b.key ?? '') ? -1 : 1))
  return [whole as FunnelRow, ...keys]
}

const anyStep = fc.record({
  name: fc.constantFrom('page_view', 'click', 'purchase', 'signup', 'nothing'),
  filters: fc.constantFrom<FunnelRequest['filters']>(
    ...[[], [], [{ dimension: 'country' as const, values: ['US', 'DE'] }]],
    [{ dimension: 'properties.plan', values: ['pro'] }],
    [{ dimension: 'browser', values: ['(none)', 'Firefox'] }],
  ),
})

const anyRequest: fc.Arbitrary<FunnelRequest> = fc
  .record({
    steps: fc.array(anyStep, { minLength: 1, maxLength: 5 }),
    windowMs: fc.constantFrom(0, 1, 30_000, MINUTE_MS, 5 * MINUTE_MS, 30 * MINUTE_MS, 60 * MINUTE_MS),
    from: fc.nat(30),
    minutes: fc.integer({ min: 1, max: 50 }),
    filters: fc.constantFrom<FunnelRequest['filters']>([], [], [{ dimension: 'country', values: ['US', '(none)'] }]),
    bots: fc.boolean(),
    breakdown: fc.constantFrom(undefined, 'country' as const, 'browser' as const, 'properties.plan' as const),
  })
  .map(({ from, minutes, ...rest }) => ({
    ...rest,
    project: 'busy',
    from: START + from * MINUTE_MS,
    to: START + (from + minutes) * MINUTE_MS,
  }))

/** What a store's funnels promise. */
export function funnelConformance(store: () => EventStore): void {
  describe('a funnel', () => {
    const events = busyEvents()
    beforeAll(() => store().insert(rowsOf(events)))

    test('counts each user as far as any attempt came, also among events of one millisecond', async () => {
      await fc.assert(
        fc.asyncProperty(anyRequest, async (request) => {
          expect(await store().funnel(request)).toEqual(naiveFunnel(events, request))
        }),
        { numRuns: checkRuns(100) },
      )
    })

    test('one event is one step; the window is from the first step to the last, its end included', async () => {
      const base = { project: 'steps', country: 'US', device: 'mobile', category: '(none)', epoch: 30 }
      const at = (offset: number, userId: string, name: string, ts: number): ModelEvent => {
        return { ...base, offset, id: `s${offset}`, userId, name, ts: START + ts }
      }
      await store().insert(
        rowsOf([
          at(0, 'once', 'page_view', 0),
          at(1, 'twice', 'page_view', 0),
          at(2, 'twice', 'page_view', 0),
          at(3, 'in time', 'page_view', 0),
          at(4, 'in time', 'page_view', 1000),
          at(5, 'late', 'page_view', 0),
          at(6, 'late', 'page_view', 1001),
        ]),
      )
      const step = { name: 'page_view', filters: [] }
      const request = { project: 'steps', from: START, to: START + MINUTE_MS, filters: [], bots: false }
      expect(await store().funnel({ ...request, steps: [step, step], windowMs: 1000 })).toEqual([
        { key: null, users: [4, 2] },
      ])
      expect(await store().funnel({ ...request, steps: [step], windowMs: 0, to: START })).toEqual([
        { key: null, users: [0] },
      ])
    })
  })
}
