import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ConsumerGroup } from './consumer-group.ts'

/** Members of one group that share some partitions. */
export interface ConsumerGroupFixture {
  readonly partitions: number
  /** A new member, not started. */
  member(): ConsumerGroup
  /** Makes a member vanish without a word, as a killed process or a cut network does. */
  silence(member: ConsumerGroup): void
  /** What the group's members have committed. */
  committed(): Promise<ReadonlyMap<number, number>>
  cleanUp(): Promise<void>
}

const PATIENCE_MS = 40_000

interface Watched {
  group: ConsumerGroup
  now: readonly number[]
  told: (readonly number[])[]
  /** When, `performance.now()`. */
  toldAt: number[]
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`not within ${PATIENCE_MS} ms: ${what}`)
    await sleep(10)
  }
}

/** What every {@link ConsumerGroup} with several members must do. */
export function consumerGroupConformance(name: string, makeFixture: () => Promise<ConsumerGroupFixture>): void {
  describe(`${name} keeps the promises of a consumer group`, () => {
    let fixture: ConsumerGroupFixture
    let members: Watched[]
    beforeEach(async () => {
      fixture = await makeFixture()
      members = []
    })
    afterEach(async () => {
      await Promise.all(members.map(({ group }) => group.stop()))
      await fixture.cleanUp()
    })

    async function started(): Promise<Watched> {
      const watched: Watched = { group: fixture.member(), now: [], told: [], toldAt: [] }
      members.push(watched)
      await watched.group.start((partitions) => {
        watched.now = partitions
        watched.told.push(partitions)
        watched.toldAt.push(performance.now())
      })
      return watched
    }

    const all = () => Array.from({ length: fixture.partitions }, (_, partition) => partition)
    const shared = (...sharing: Watched[]) =>
      until(`${sharing.length} members share all partitions`, () => {
        const owned = sharing.flatMap(({ now }) => now)
        return owned.length === fixture.partitions && new Set(owned).size === fixture.partitions
      })

    test('who is alone has everything, once started', async () => {
      const { now } = await started()
      expect([...now].sort((a, b) => a - b)).toEqual(all())
    })

    test('two share all partitions evenly, and the first keeps its own', async () => {
      const first = await started()
      const second = await started()
      await shared(first, second)
      expect(Math.abs(first.now.length - second.now.length)).toBeLessThanOrEqual(1)
      // It was told to let go before it was told its new share.
      expect(first.told.at(-2)).toEqual([])
    })

    test('who stops hands over at once', async () => {
      const first = await started()
      const second = await started()
      await shared(first, second)
      const toldBefore = first.told.length
      const stoppedAt = performance.now()
      await first.group.stop()
      await shared(second)
      // Long before a session would have ended.
      expect(performance.now() - stoppedAt).toBeLessThan(second.group.sessionTimeoutMs)
      expect(first.told.length).toBe(toldBefore)
    })

    test('who falls silent lets go itself before others take over', async () => {
      const first = await started()
      const second = await started()
      await shared(first, second)
      fixture.silence(first.group)
      await until('the silent member lets go', () => first.now.length === 0)
      const letGoAt = first.toldAt.at(-1) as number
      expect(first.group.problem).not.toBeUndefined()
      await shared(second)
      expect([...second.now].sort((a, b) => a - b)).toEqual(all())
      expect(second.toldAt.at(-1)).toBeGreaterThanOrEqual(letGoAt)
      expect(performance.now() - first.group.aliveAt).toBeGreaterThanOrEqual(first.group.sessionTimeoutMs)
    })

    test('a member knows when it was alive last', async () => {
      const { group } = await started()
      const before = group.aliveAt
      expect(before).toBeLessThanOrEqual(performance.now())
      await until('a heartbeat is acknowledged', () => group.aliveAt > before)
    })

    test('committed positions are there for everybody', async () => {
      const { group } = await started()
      await group.commit(
        new Map([
          [0, 5],
          [1, 5_000_000_000],
        ]),
      )
      expect(await fixture.committed()).toEqual(
        new Map([
          [0, 5],
          [1, 5_000_000_000],
        ]),
      )
    })
  })
}
