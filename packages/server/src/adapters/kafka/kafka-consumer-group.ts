import type { ConsumerGroup } from '../../ports/consumer-group.ts'
import { assignPartitions } from './assign-partitions.ts'
import type { KafkaConnectionOptions } from './broker-link.ts'
import { createGroupCoordinator, type Membership, requiredMemberId } from './group-coordinator.ts'
import { KafkaError } from './kafka-error.ts'
import { createTopicView } from './topic-view.ts'
import { within } from './within.ts'

const LEAVE_MS = 1000
/** The part of a session for which a silent member holds its partitions. */
const HOLD = 0.9
const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 1000

export interface KafkaConsumerGroupOptions extends KafkaConnectionOptions {
  /** Name of the group, one for each stage. */
  groupId: string
  /** @default 'nowcast.events' */
  topic?: string
  /** Partitions to share. */
  partitions: number
  /** A member that is silent for so long is taken for dead. @default 10000 */
  sessionTimeoutMs?: number
  /** @default 500 */
  heartbeatMs?: number
}

/**
 * Membership in a group of Kafka, and nothing else: joining, heartbeats, leaving. Events are read through the log, and
 * kafkajs's consumer would couple the two: it beats only while it fetches, and reconnects for longer than a session.
 */
export function createKafkaConsumerGroup(options: KafkaConsumerGroupOptions): ConsumerGroup {
  const { groupId, partitions, topic = 'nowcast.events', sessionTimeoutMs = 10_000, heartbeatMs = 500 } = options
  const view = createTopicView(topic, options)
  const coordinator = createGroupCoordinator(view, groupId)
  let membership: Membership = { generation: -1, memberId: '' }
  let owned: readonly number[] = []
  let aliveAt = Number.NEGATIVE_INFINITY
  let problem: string | undefined
  let isStopping = false
  let endSleep: () => void = () => {}
  let endStart: () => void = () => {}
  let running = Promise.resolve()

  /** Until the time has passed or the member stops. */
  function sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      endSleep = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  async function run(onAssigned: (partitions: readonly number[]) => void, joinedFirst: () => void): Promise<void> {
    let pause = 0
    while (!isStopping) {
      try {
        const share = await join()
        if (isStopping) return
        pause = 0
        problem = undefined
        owned = share
        onAssigned(share)
        joinedFirst()
        await stay()
      } catch (error) {
        pause = Math.min(LONGEST_PAUSE_MS, pause * 2 || FIRST_PAUSE_MS)
        adapt(error as KafkaError)
      }
      if (isStopping) return
      // What was ours may be another's from here on.
      onAssigned([])
      await sleep(pause)
    }
  }

  /** Joins and answers this member's share. */
  async function join(): Promise<number[]> {
    const { memberId, generation, isLeader, members } = await coordinator
      .join(membership.memberId, owned, sessionTimeoutMs, sessionTimeoutMs)
      .catch((error) => {
        const required = requiredMemberId(error)
        if (required === undefined) throw error
        membership = { generation: -1, memberId: required }
        return coordinator.join(required, owned, sessionTimeoutMs, sessionTimeoutMs)
      })
    membership = { memberId, generation }
    const shares = isLeader
      ? assignPartitions(
          partitions,
          members.map((member) => ({ member: member.memberId, owned: member.owned })),
        )
      : new Map<string, number[]>()
    let sentAt = performance.now()
    const share = await coordinator.sync(membership, shares, sessionTimeoutMs)
    if (performance.now() - sentAt > heartbeatMs) {
      // A slow leader has let it wait, perhaps for most of a session: that is no silence of this member's.
      sentAt = performance.now()
      await coordinator.heartbeat(membership, sessionTimeoutMs / 3)
    }
    aliveAt = sentAt
    return share
  }

  /** Beats until the group says that shares change, or has not answered for as long as a session lasts. */
  async function stay(): Promise<void> {
    while (!isStopping) {
      await sleep(Math.min(heartbeatMs, Math.max(0, left())))
      if (isStopping) return
      if (left() <= 0) throw silent()
      const sentAt = performance.now()
      try {
        // Connecting and finding the coordinator take their own time.
        await within(left(), coordinator.heartbeat(membership, Math.min(left(), sessionTimeoutMs / 3)), silent)
        aliveAt = sentAt
        problem = undefined
      } catch (error) {
        const { type, message } = error as KafkaError
        if (type === 'REBALANCE_IN_PROGRESS') return
        if (!isPassing(type)) throw error
        problem = message
        coordinator.forget()
      }
    }
  }

  /** Time until this member lets go, ms: a little before the group gives its partitions away, for timers are late. */
  const left = () => sessionTimeoutMs * HOLD - (performance.now() - aliveAt)

  const silent = () =>
    new KafkaError('TIMEOUT', `the group ${groupId} has not answered for ${sessionTimeoutMs} ms: is Kafka reachable?`)

  function adapt(error: KafkaError): void {
    // Whoever joins while others do is told to come again: nothing is wrong.
    if (error.type !== 'REBALANCE_IN_PROGRESS') problem = error.message
    if (isPassing(error.type)) coordinator.forget()
    if (error.type === 'UNKNOWN_MEMBER_ID' || error.type === 'ILLEGAL_GENERATION') {
      membership = { generation: -1, memberId: '' }
    }
  }

  return {
    get aliveAt() {
      return aliveAt
    },
    sessionTimeoutMs,
    get problem() {
      return problem
    },
    async start(onAssigned) {
      await new Promise<void>((resolve) => {
        // A member that is stopped before it ever joined must not keep its starter waiting.
        endStart = resolve
        running = run(onAssigned, resolve)
      })
    },
    async stop() {
      if (isStopping) return running
      isStopping = true
      endSleep()
      endStart()
      // Finding the coordinator takes its own time.
      if (membership.memberId !== '') {
        await within(LEAVE_MS, coordinator.leave(membership.memberId, LEAVE_MS), silent).catch(() => {})
      }
      view.close()
      await running
    },
    async commit(positions) {
      if (membership.generation < 0 || positions.size === 0) return
      await coordinator.commit(membership, positions).catch(() => {})
    },
  }
}

/** Whether somebody else coordinates the group now, or nobody could be reached. */
function isPassing(type: string): boolean {
  return [
    'CONNECTION',
    'TIMEOUT',
    'GROUP_COORDINATOR_NOT_AVAILABLE',
    'NOT_COORDINATOR_FOR_GROUP',
    'GROUP_LOAD_IN_PROGRESS',
  ].includes(type)
}

export interface CommittedPositions {
  /** Offset that each partition's consumer has published; a partition without one is left out. */
  read(): Promise<ReadonlyMap<number, number>>
  close(): void
}

/** Reads what a group's members have committed. */
export function createCommittedPositions(
  options: Pick<KafkaConsumerGroupOptions, 'groupId' | 'topic' | 'partitions'> & KafkaConnectionOptions,
): CommittedPositions {
  const view = createTopicView(options.topic ?? 'nowcast.events', options)
  const coordinator = createGroupCoordinator(view, options.groupId)
  return {
    async read() {
      const positions = await coordinator.committed(options.partitions).catch((error) => {
        coordinator.forget()
        throw error
      })
      for (const [partition, offset] of positions) if (offset < 0) positions.delete(partition)
      return positions
    },
    close: () => view.close(),
  }
}
