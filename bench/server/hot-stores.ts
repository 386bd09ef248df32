import { createMemoryHotStore } from '../../packages/server/src/adapters/memory/memory-hot-store.ts'
import { createRedisHotStore } from '../../packages/server/src/adapters/redis/redis-hot-store.ts'
import type { HotFlush, HotStore } from '../../packages/server/src/ports/hot-store.ts'
import type { Cell } from '../../packages/server/src/record/cell.ts'
import type { CellDelta, SecondDelta } from '../../packages/server/src/window/minute-delta.ts'

/*
 * A hot store alone, in Redis or in memory, with deltas made beforehand. Told `flush` it answers with time and CPU of so
 * many flushes, told `fill` it writes a day, told `view` with those of bringing a view up to date.
 */

const MINUTE_MS = 60_000
const EPOCH = 1
const clock = { now: () => Date.now() }
const startOf = (unitMs: number) => Math.floor(Date.now() / unitMs) * unitMs
const word = () => Math.floor(Math.random() * 2 ** 32)

interface Shape {
  events: number
  cells: number
  users: number
}

const stores = new Map<string, HotStore>()
const fences = new Map<string, number>()

const cellOf = (n: number): Cell => ({
  project: 'bench',
  name: ['page_view', 'click', 'purchase', 'error'][n % 4] as string,
  country: `C${Math.floor(n / 4) % 25}`,
  device: 'mobile',
  category: `category-${Math.floor(n / 100)}`,
  hot1: '',
  hot2: '',
  unconverted: '',
})

/** A few cells have many events and most have few, as in traffic. */
function flushOf({ events, cells, users }: Shape, minutes: readonly number[], pool: number[]): HotFlush {
  const seconds: SecondDelta[] = []
  const deltas = minutes.map((minute) => {
    const byCell = new Map<number, CellDelta>()
    for (let i = 0; i < events; i++) {
      const n = i < cells ? i : Math.floor(cells * Math.random() ** 3)
      const cell = cellOf(n)
      const delta = byCell.get(n) ?? {
        ...{ cell, events: 0, revenue: 0, refunds: 0, refundRevenue: 0 },
        ...{ users: [], sessions: [] },
      }
      byCell.set(n, delta)
      const user = 2 * Math.floor(Math.random() * users)
      delta.events++
      delta.users.push(pool[user] as number, pool[user + 1] as number)
      delta.sessions.push(pool[user + 1] as number, pool[user] as number)
      if (cell.name === 'purchase') delta.revenue += 199_900
    }
    const second = startOf(1000)
    for (const { cell, events: count } of byCell.values()) seconds.push({ second, cell, events: count })
    return { project: 'bench', minute, cells: [...byCell.values()] }
  })
  return { epoch: EPOCH, partition: 0, from: 0, to: 0, minutes: deltas, seconds }
}

async function open({ name, url }: { name: string; url?: string }): Promise<void> {
  const store = url
    ? createRedisHotStore(clock, { url, partitions: 1 })
    : createMemoryHotStore(clock, { partitions: 1 })
  await store.start()
  await store.begin({ epoch: EPOCH, partition: 0, offset: 0, completeFrom: 0, target: 0 })
  fences.set(name, (await store.fence(EPOCH, 0))?.offset ?? 0)
  stores.set(name, store)
}

async function flushAll(name: string, flushes: HotFlush[], events: number): Promise<{ ms: number; cpuMs: number }> {
  const store = stores.get(name) as HotStore
  let at = fences.get(name) as number
  return timed(async () => {
    for (const flush of flushes) {
      const { applied } = await store.flush({ ...flush, from: at, to: at + events })
      if (!applied) throw new Error('a flush was refused')
      at += events
    }
    fences.set(name, at)
  })
}

/** A view that holds all, or one whose last minutes are live. */
async function viewed(store: HotStore, isLive: boolean): Promise<void> {
  if (!isLive) await store.view()
  else while (!Number.isFinite((await store.view({ maxAgeMs: 0 })).completeSince));
}

async function timed(action: () => Promise<unknown>): Promise<{ ms: number; cpuMs: number }> {
  const before = process.cpuUsage()
  const startedAt = performance.now()
  await action()
  const { user, system } = process.cpuUsage(before)
  return { ms: performance.now() - startedAt, cpuMs: (user + system) / 1000 }
}

async function answer(message: Record<string, never>): Promise<unknown> {
  const { name, open: opened, flush, fill, view, close } = message as Record<string, never> & { name: string }
  if (opened) return open({ name, ...(opened as { url?: string }) })
  if (close) return stores.get(name)?.stop()
  if (flush) {
    const { shape, flushes } = flush as { shape: Shape; flushes: number }
    const pool = Array.from({ length: shape.users * 2 }, word)
    const minute = startOf(MINUTE_MS)
    const made = Array.from({ length: flushes }, () => flushOf(shape, [minute], pool))
    return flushAll(name, made, shape.events)
  }
  if (fill) {
    const { shape, minutes } = fill as { shape: Shape; minutes: number }
    const last = startOf(MINUTE_MS)
    for (let age = minutes - 1; age >= 0; age--) {
      const pool = Array.from({ length: shape.users * 2 }, word)
      await flushAll(name, [flushOf(shape, [last - age * MINUTE_MS], pool)], shape.events)
    }
    return {}
  }
  if (view) return timed(() => viewed(stores.get(name) as HotStore, (view as { live?: boolean }).live ?? false))
  throw new Error('an unknown message')
}

process.on('message', (message) => {
  answer(message as Record<string, never>).then(
    (result) => process.send?.(result ?? {}),
    (error: Error) => process.send?.({ error: String(error.stack) }),
  )
})
process.on('disconnect', () => process.exit())
