import type { Clock } from '../../ports/clock.ts'
import type { Fence, FlushAnswer, HotFlush, HotSet, HotStore } from '../../ports/hot-store.ts'
import { requireNoEviction } from './check-redis.ts'
import { fenceField, flushArguments, type ScriptCall, setArguments } from './flush-arguments.ts'
import { groupKeys } from './hot-keys.ts'
import { LocalSketches } from './local-sketches.ts'
import { createRedisConnection, type RedisConnectionOptions } from './redis-connection.ts'
import { redisFailure } from './redis-failure.ts'
import { loadScripts, type RunScript } from './redis-scripts.ts'
import { createRedisWindows, type RedisWindows } from './redis-windows.ts'

const MINUTE_MS = 60_000

export interface RedisHotStoreOptions extends RedisConnectionOptions {
  /** Partitions of the log. */
  partitions: number
  /** Bytes of windows in this process at which the oldest minutes are left to the archive. @default 1 GiB */
  maxBytes?: number
  /** Bytes that tell which users Redis knows already. @default 64 MiB */
  maxSketchBytes?: number
}

/** What this process knows of a partition that it flushes. */
interface OwnPartition {
  /** Where its last flush ended, if that was applied for certain. */
  to: number | undefined
  sketches: LocalSketches
}

/** The hot store of many processes: one Redis, a master behind Sentinel, or a Redis Cluster. */
export function createRedisHotStore(clock: Clock, options: RedisHotStoreOptions): HotStore {
  const { partitions, maxBytes = 1024 ** 3, maxSketchBytes = 64 * 1024 ** 2 } = options
  const connection = createRedisConnection(options)
  const own = new Map<string, OwnPartition>()
  let run: RunScript
  let windows: RedisWindows
  let problem: string | undefined

  /** @throws NowcastError `hot_store_unavailable` */
  async function attempt<T>(doing: string, action: () => Promise<T>): Promise<T> {
    try {
      const answer = await action()
      problem = undefined
      return answer
    } catch (error) {
      const failure = redisFailure(error, doing, connection.lastError)
      problem = failure.message
      throw failure
    }
  }

  const groups = () => Array.from({ length: connection.groups }, (_, group) => group)

  function ownOf(field: string): OwnPartition {
    let known = own.get(field)
    if (!known) {
      known = { to: undefined, sketches: new LocalSketches(maxSketchBytes / partitions) }
      own.set(field, known)
    }
    return known
  }

  /** Redis may lack what this process has added. */
  function doubt(known: OwnPartition): void {
    known.to = undefined
    known.sketches.forget()
  }

  async function fence(epoch: number, partition: number): Promise<Fence | undefined> {
    const field = fenceField(epoch, partition)
    const read = () => Promise.all(groups().map((group) => connection.client.hget(groupKeys(group).fence, field)))
    const fences = await attempt('reading where a partition stands', read)
    const offsets = [...new Set(fences.filter((each) => each !== null).map(Number))].sort((a, b) => a - b)
    const known = ownOf(field)
    const [offset, ...cuts] = offsets
    if (fences.includes(null) || offset !== known.to || cuts.length > 0) doubt(known)
    return offset === undefined || fences.includes(null) ? undefined : { offset, cuts }
  }

  /** Moves a partition's fence from one place to the next, in every group by one script. */
  async function move(name: 'flush' | 'set', { epoch, partition, to }: HotFlush | HotSet, calls: ScriptCall[]) {
    const known = ownOf(fenceField(epoch, partition))
    // Until the answer is there, nobody knows what Redis holds.
    known.to = undefined
    try {
      const answers = await attempt('changing the windows', () =>
        settled(calls.map(({ keys, args }) => run(connection.client, name, keys, args))),
      )
      const fences = answers.map((answer) => {
        const [applied, at] = answer as [number, string | null | undefined]
        return applied === 1 ? to : at === null || at === undefined ? undefined : Number(at)
      })
      const isApplied = answers.some((answer) => (answer as [number])[0] === 1)
      const isCold = fences.includes(undefined)
      const lowest = isCold ? undefined : Math.min(...(fences as number[]))
      if (isApplied && lowest === to) {
        known.to = to
        return { applied: true } as const
      }
      return { applied: false, fence: lowest } as const
    } finally {
      if (known.to === undefined) doubt(known)
    }
  }

  return {
    get problem() {
      const { lastError } = connection
      return lastError === undefined ? problem : redisFailure(new Error(lastError), 'connecting').message
    },
    async start() {
      run = await loadScripts()
      await connection.start()
      try {
        await attempt('checking its settings', () => requireNoEviction(connection.client))
      } catch (error) {
        await connection.stop()
        throw error
      }
      windows = createRedisWindows({ connection, run, clock, attempt }, { partitions, maxBytes })
    },
    async stop() {
      // The connection's end ends what is being read.
      await Promise.all([windows?.stop(), connection.stop()])
    },
    fence,
    async begin({ epoch, partition, offset, completeFrom, target }) {
      const from = Math.ceil(completeFrom / MINUTE_MS) * MINUTE_MS
      const args = [fenceField(epoch, partition), String(epoch), String(offset), String(target), String(from)]
      await attempt('beginning with a partition', () =>
        Promise.all(
          groups().map((group) => {
            const keys = groupKeys(group)
            return run(connection.client, 'begin', [keys.fence, keys.begun], args)
          }),
        ),
      )
    },
    flush(flush): Promise<FlushAnswer> {
      const { sketches } = ownOf(fenceField(flush.epoch, flush.partition))
      return move('flush', flush, flushArguments(flush, connection.groups, sketches))
    },
    set: (set): Promise<FlushAnswer> => move('set', set, setArguments(set, connection.groups)),
    view: (viewOptions) => windows.view(viewOptions?.maxAgeMs),
  }
}

/** Waits for all, so that none is under way when the first failure is told. */
async function settled(promises: Promise<unknown>[]): Promise<unknown[]> {
  const results = await Promise.allSettled(promises)
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason
    return result.value
  })
}
