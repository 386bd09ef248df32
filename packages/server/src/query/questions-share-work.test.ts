import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { AggregateRequest, AggregateRow, EventStore } from '../ports/event-store.ts'
import type { HotStore } from '../ports/hot-store.ts'
import { toProject } from '../project.ts'
import { createQuery, type QueryOptions, type Scope } from './query.ts'

const HOUR_MS = 3_600_000
const NOW = Date.UTC(2026, 0, 15, 12)
const scopeOf = (id: string, filters: Scope['filters'] = {}): Scope => ({
  project: toProject({
    ...{ id, writeKey: `nc_pub_${id}00000000`, secretKey: `nc_sec_${id}00000000` },
    readSecret: 'a secret that is long enough for a test',
  }),
  filters,
  metrics: undefined,
})
const [SHOP, BLOG] = [scopeOf('shop'), scopeOf('blog')]
const total = (hours: number) => ({
  ...{ kind: 'total', metric: 'events' },
  range: { from: NOW - 90 * HOUR_MS - hours * HOUR_MS, to: NOW - 90 * HOUR_MS },
})

/** A stage whose archive tells of each reading, and answers when it is told to. */
function stageWith(options?: QueryOptions) {
  const readings: { request: AggregateRequest; end(): void }[] = []
  const told = { now: NOW, revision: '1', funnels: 0 }
  const eventStore = {
    revision: async () => told.revision,
    rolledUp: async () => [],
    aggregate: (request: AggregateRequest) =>
      new Promise<AggregateRow[]>((resolve, reject) => {
        readings.push({ request, end: () => resolve([]) })
        request.signal?.addEventListener('abort', () => reject(request.signal?.reason))
      }),
    funnel: async () => {
      told.funnels++
      return [{ key: null, users: [told.funnels] }]
    },
  }
  const hotStore = { view: async () => ({ completeSince: Number.POSITIVE_INFINITY, revision: 1, projects: new Map() }) }
  const dependencies = {
    eventStore: eventStore as unknown as EventStore,
    hotStore: hotStore as unknown as HotStore,
    clock: { now: () => told.now },
  }
  const stage = createQuery(dependencies, options)
  /** Lets all readings end that have begun or begin meanwhile. */
  const endAll = async () => {
    await sleep(5)
    for (let ended = 0; ended < readings.length; await sleep(5)) {
      ended = readings.length
      for (const { end } of readings) end()
    }
  }
  return { stage, readings, told, endAll }
}

test('equal questions under way are one reading; other ones, of another token or project, are readings of their own', async () => {
  const { stage, readings, endAll } = stageWith({ queriesAtOnce: 100 })
  const own = scopeOf('shop', { country: ['DE'] })
  const equal = [SHOP, SHOP, SHOP].map((scope) => stage.answer(total(3), scope))
  await sleep(5)
  // Of the total, and of the range before it.
  expect(readings).toHaveLength(2)
  const others = [own, BLOG].map((scope) => stage.answer(total(3), scope))
  others.push(stage.answer({ ...total(3), bots: true }, SHOP))
  await sleep(5)
  expect(readings).toHaveLength(8)
  expect(readings.slice(2, 4).every(({ request }) => request.filters.length === 1)).toBe(true)
  await endAll()
  const [first, ...rest] = await Promise.all(equal)
  for (const answer of rest) expect(answer).toEqual(first)
  await Promise.all(others)
})

test('a reading goes on while one still asks, and is stopped when all have gone', async () => {
  const { stage, readings } = stageWith()
  const [one, other] = [new AbortController(), new AbortController()]
  const answers = [one, other].map(({ signal }) => stage.answer(total(3), SHOP, signal))
  await sleep(5)
  one.abort()
  await expect(answers[0]).rejects.toMatchObject({ name: 'AbortError' })
  expect(readings.map(({ request }) => request.signal?.aborted)).toEqual([false, false])
  other.abort()
  await expect(answers[1]).rejects.toMatchObject({ name: 'AbortError' })
  expect(readings.map(({ request }) => request.signal?.aborted)).toEqual([true, true])
})

test('a range that is over is read again only when an event of it has come', async () => {
  const { stage, readings, told, endAll } = stageWith()
  const ask = async () => {
    const answer = stage.answer(total(3), SHOP)
    await endAll()
    await answer
    return readings.length
  }
  expect(await ask()).toBe(2)
  expect(await ask()).toBe(2)
  told.revision = '2'
  expect(await ask()).toBe(4)
})

test('projects take turns at the archive, and who has too many questions waiting is told so', async () => {
  const { stage, readings, endAll } = stageWith({ queriesAtOnce: 1, queriesWaiting: 6 })
  const many = [3, 4, 5].map((hours) => stage.answer(total(hours), SHOP))
  await sleep(5)
  const few = stage.answer(total(3), BLOG)
  await sleep(5)
  const refused = [6, 7].map((hours) => stage.answer(total(hours), SHOP))
  await expect(Promise.all(refused)).rejects.toMatchObject({ code: 'rate_limited' })
  await endAll()
  await Promise.allSettled([...many, few, ...refused])
  const order = readings.map(({ request }) => request.project)
  expect(order.slice(0, 3)).toEqual(['shop', 'shop', 'blog'])
})

test('a watched funnel is computed once in ten seconds', async () => {
  const { stage, told } = stageWith()
  const steps = [{ name: 'search' }]
  const watched = stage.watchable({ kind: 'funnel', steps, range: { last: '7d' } }, SHOP).watch()
  const answers = { 0: 1, 1000: 1, 9999: 1, 10000: 2 }
  for (const [atMs, funnels] of Object.entries(answers)) {
    told.now = NOW + Number(atMs)
    expect(await watched.answer()).toMatchObject({ steps: [{ users: funnels }] })
  }
  expect(told.funnels).toBe(2)
})
