import { NowcastError } from '../../errors.ts'
import type { Clock } from '../../ports/clock.ts'
import type { HotView } from '../../ports/hot-store.ts'
import { MINUTE_MS, WindowCube } from '../../window/window-cube.ts'
import { completeSinceOf } from './completeness.ts'
import { GroupReader } from './group-reader.ts'
import type { RedisConnection } from './redis-connection.ts'
import type { RunScript } from './redis-scripts.ts'

const KEPT_MS = 25 * 3_600_000
/** A minute that ended this long ago is packed. */
const QUIET_MS = 10 * MINUTE_MS
/** Without questions the windows are brought up to date so often, so that the next answer is quick. */
const IDLE_MS = 5000
const TIDY_MS = 10_000
/** Of a backlog so much is read at a time, so that newer changes are not kept waiting, ms. */
const BACKLOG_MS = 150
/** While Redis is away, what was read last is shown so long; then the archive answers. */
const MOST_STALE_MS = 10_000
/** What takes long to read is read so often at least, ms. */
const MOST_AGE_MS = 2000
/** Those that take an older view too wait so long for a newer one. */
const MOST_WAIT_MS = 1000

export interface RedisWindowsDependencies {
  connection: RedisConnection
  run: RunScript
  clock: Clock
  attempt<T>(doing: string, action: () => Promise<T>): Promise<T>
}

export interface RedisWindows {
  view(maxAgeMs: number | undefined): Promise<HotView>
  stop(): Promise<void>
}

/** The windows in Redis as this process has read them: each minute once, and again when it has changed. */
export function createRedisWindows(
  { connection, run, clock, attempt }: RedisWindowsDependencies,
  { partitions, maxBytes }: { partitions: number; maxBytes: number },
): RedisWindows {
  const cube = new WindowCube()
  const groups = Array.from({ length: connection.groups }, (_, group) => new GroupReader(group, connection, run, cube))
  /** Minutes before it were given up, for their age or for want of memory. */
  let givenUpBefore = 0
  let storeSince = Number.POSITIVE_INFINITY
  let refreshing: Promise<void> | undefined
  let next: Promise<void> | undefined
  let tookMs = 0
  let beganAt = Number.NEGATIVE_INFINITY
  /** When the last successful refresh began (`performance.now()`). */
  let refreshedAt = Number.NEGATIVE_INFINITY
  let timer: NodeJS.Timeout | undefined
  let tidiedAt = Number.NEGATIVE_INFINITY
  let isStopped = false

  async function refresh(): Promise<void> {
    beganAt = performance.now()
    const startedAt = beganAt
    const horizon = () => Math.max(givenUpBefore, minuteOf(clock.now() - KEPT_MS))
    const deadline = startedAt + BACKLOG_MS
    const changed = await Promise.all(groups.map((group) => group.refresh(horizon, clock.now(), deadline)))
    // Completeness is read after the minutes: a store that was emptied meanwhile must not lend its name to them.
    const states = changed.some((each) => each)
      ? await Promise.all(groups.map((group) => group.readState()))
      : groups.map((group) => group.state)
    storeSince = completeSinceOf(states, partitions)
    refreshedAt = startedAt
    tookMs = performance.now() - startedAt
    if (startedAt - tidiedAt > TIDY_MS || incompleteBefore() > 0) tidy()
    if (incompleteBefore() > 0 && !isStopped) setImmediate(() => freshly().catch(() => {}))
  }

  const incompleteBefore = () => Math.max(...groups.map((group) => group.incompleteBefore))

  function tidy(): void {
    tidiedAt = performance.now()
    const now = clock.now()
    givenUpBefore = Math.max(givenUpBefore, minuteOf(now - KEPT_MS))
    cube.tidy(now, givenUpBefore, QUIET_MS)
    while (cube.byteLength > maxBytes) {
      const forgotten = cube.forgetOldest()
      if (forgotten === undefined) break
      givenUpBefore = Math.max(givenUpBefore, forgotten + MINUTE_MS)
    }
  }

  /** A refresh that begins now or later. */
  function freshly(): Promise<void> {
    if (!refreshing) {
      refreshing = attempt('reading the windows', refresh).finally(() => {
        refreshing = undefined
      })
      return refreshing
    }
    next ??= refreshing
      .catch(() => {})
      .then(() => {
        next = undefined
        return freshly()
      })
    return next
  }

  /** Until a refresh has ended, well or not; of one that takes long, others do not wait for the end. */
  async function refreshedOrWaited(refresh: Promise<void>): Promise<void> {
    const leftMs = beganAt + MOST_WAIT_MS - performance.now()
    if (leftMs <= 0) return
    let timeout: NodeJS.Timeout | undefined
    const waited = new Promise<void>((resolve) => {
      timeout = setTimeout(resolve, leftMs)
    })
    await Promise.race([refresh.catch(() => {}), waited])
    clearTimeout(timeout)
  }

  function keepWarm(): void {
    timer ??= setInterval(() => {
      if (performance.now() - refreshedAt > IDLE_MS && !refreshing) freshly().catch(() => {})
    }, 1000)
    timer.unref()
  }

  const viewOf = (since: number): HotView => ({
    get completeSince() {
      return Math.max(since, givenUpBefore, incompleteBefore())
    },
    revision: cube.revision,
    projects: cube.projects,
  })

  return {
    async view(maxAgeMs) {
      if (isStopped) throw new NowcastError('stopping', 'the hot store is stopped', { retryable: true })
      keepWarm()
      if (maxAgeMs === undefined) {
        do await freshly()
        while (incompleteBefore() > 0)
        return viewOf(storeSince)
      }
      // However many cells change, most of the time is left for answers.
      const ageMs = Math.max(maxAgeMs, Math.min(tookMs * 3, MOST_AGE_MS))
      if (performance.now() - refreshedAt > ageMs) await refreshedOrWaited(refreshing ?? freshly())
      const isStale = performance.now() - refreshedAt > MOST_STALE_MS
      return viewOf(isStale ? Number.POSITIVE_INFINITY : storeSince)
    },
    async stop() {
      isStopped = true
      clearInterval(timer)
      await Promise.allSettled([refreshing, next])
    },
  }
}

const minuteOf = (ms: number) => Math.floor(ms / MINUTE_MS) * MINUTE_MS
