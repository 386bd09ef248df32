import type { Clock } from '../../ports/clock.ts'
import type { HotStore } from '../../ports/hot-store.ts'
import { MINUTE_MS, WindowCube } from '../../window/window-cube.ts'

const KEPT_MS = 25 * 3_600_000
const KEPT_SECONDS_MS = 30_000
/** A minute that ended this long ago is packed. */
const QUIET_MS = 10 * MINUTE_MS

export interface MemoryHotStoreOptions {
  /** Partitions of the log; asked for once it is open. */
  readonly partitions: number
  /** Bytes of windows at which the oldest minutes are left to the archive. @default 1 GiB */
  maxBytes?: number
}

/** The hot store of a single process. It forgets everything at its end and is filled again from the log. */
export function createMemoryHotStore(clock: Clock, options: MemoryHotStoreOptions): HotStore {
  const { maxBytes = 1024 ** 3 } = options
  const cube = new WindowCube()
  const fences = new Map<string, { offset: number; target: number }>()
  /** Of the log begun last. */
  let currentEpoch = 0
  let completeSince = 0
  /** Minutes before it were given up, for their age or for want of memory, and are not begun again. */
  let givenUpBefore = 0
  let timer: NodeJS.Timeout | undefined

  function tidy(): void {
    const now = clock.now()
    ageTo(now)
    cube.tidy(now, givenUpBefore, QUIET_MS)
    while (cube.byteLength > maxBytes) {
      const forgotten = cube.forgetOldest()
      if (forgotten === undefined) break
      giveUp(forgotten + MINUTE_MS)
    }
  }

  /** Never goes back, also when the clock does: what was forgotten stays lacking. */
  function giveUp(before: number): void {
    givenUpBefore = Math.max(givenUpBefore, before)
    completeSince = Math.max(completeSince, givenUpBefore)
  }

  const lackBefore = (completeFrom: number) => {
    completeSince = Math.max(completeSince, Math.ceil(completeFrom / MINUTE_MS) * MINUTE_MS)
  }

  function isFilled(): boolean {
    for (let partition = 0; partition < options.partitions; partition++) {
      const fence = fences.get(keyOf(currentEpoch, partition))
      if (!fence || fence.offset < fence.target) return false
    }
    return true
  }

  const ageTo = (now: number) => giveUp(Math.floor((now - KEPT_MS) / MINUTE_MS) * MINUTE_MS)

  return {
    async start() {
      timer = setInterval(tidy, 10_000)
      timer.unref()
    },
    async stop() {
      clearInterval(timer)
    },
    problem: undefined,
    async fence(epoch, partition) {
      const fence = fences.get(keyOf(epoch, partition))
      return fence && { offset: fence.offset, cuts: [] }
    },
    async begin({ epoch, partition, offset, completeFrom, target }) {
      const key = keyOf(epoch, partition)
      if (fences.has(key)) return
      fences.set(key, { offset, target })
      currentEpoch = epoch
      ageTo(clock.now())
      lackBefore(completeFrom)
    },
    async flush({ epoch, partition, from, to, minutes, seconds, completeFrom, target }) {
      const fence = fences.get(keyOf(epoch, partition))
      if (fence?.offset !== from) return { applied: false, fence: fence?.offset }
      const now = clock.now()
      ageTo(now)
      cube.apply(minutes, seconds, givenUpBefore, now - KEPT_SECONDS_MS)
      if (completeFrom !== undefined) lackBefore(completeFrom)
      if (target !== undefined) fence.target = target
      fence.offset = to
      return { applied: true }
    },
    async set({ epoch, partition, from, to, minutes, seconds, completeFrom, target, reached = [] }) {
      const fence = fences.get(keyOf(epoch, partition))
      if (fence?.offset !== from) return { applied: false, fence: fence?.offset }
      const now = clock.now()
      ageTo(now)
      cube.set(minutes, seconds, givenUpBefore, now - KEPT_SECONDS_MS)
      if (completeFrom !== undefined) lackBefore(completeFrom)
      for (const each of reached) fences.set(keyOf(each.epoch, each.partition), { offset: each.offset, target: 0 })
      if (target !== undefined) fence.target = target
      fence.offset = to
      return { applied: true }
    },
    async view() {
      return {
        get completeSince() {
          return isFilled() ? completeSince : Number.POSITIVE_INFINITY
        },
        revision: cube.revision,
        projects: cube.projects,
      }
    },
  }
}

const keyOf = (epoch: number, partition: number) => `${epoch}:${partition}`
