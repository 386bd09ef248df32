import kafkajs from 'kafkajs'
import type { BrokerLink } from './broker-link.ts'
import type { KafkaError } from './kafka-error.ts'
import type { Purpose, TopicView } from './topic-view.ts'

const { AssignerProtocol } = kafkajs
const ASK_MS = 3000
const PROTOCOL = 'nowcast-sticky'

/** A member as the group's leader sees it. */
export interface Member {
  memberId: string
  owned: number[]
}

export interface Joined {
  generation: number
  memberId: string
  isLeader: boolean
  /** All members, for the leader alone. */
  members: Member[]
}

/** Where in which generation a member stands. */
export interface Membership {
  generation: number
  memberId: string
}

/** What the broker that coordinates a group is asked. Each call may throw KafkaError. */
export interface GroupCoordinator {
  /** Waits until all members have joined, at most `rebalanceTimeoutMs`. */
  join(
    memberId: string,
    owned: readonly number[],
    sessionTimeoutMs: number,
    rebalanceTimeoutMs: number,
  ): Promise<Joined>
  /**
   * Waits until the leader has shared the partitions, at most `rebalanceTimeoutMs`.
   * @param shares of all members, from the leader alone
   */
  sync(
    membership: Membership,
    shares: ReadonlyMap<string, readonly number[]>,
    rebalanceTimeoutMs: number,
  ): Promise<number[]>
  heartbeat(membership: Membership, timeoutMs: number): Promise<void>
  leave(memberId: string, timeoutMs: number): Promise<void>
  commit(membership: Membership, positions: ReadonlyMap<number, number>): Promise<void>
  committed(partitions: number): Promise<Map<number, number>>
  /** Looks for the coordinator again before the next call. */
  forget(): void
}

export function createGroupCoordinator(view: TopicView, groupId: string): GroupCoordinator {
  const { topic } = view
  let place: { host: string; port: number } | undefined

  async function link(purpose: Purpose): Promise<BrokerLink> {
    if (!place) {
      // Asked anew, so that a broker answers that is there.
      await view.find()
      const any = await view.anyLink('ask')
      const { coordinator } = await any.call<{ coordinator: { host: string; port: number } }>(
        'GroupCoordinator',
        { groupId },
        ASK_MS,
      )
      place = coordinator
    }
    return view.linkTo(place.host, place.port, purpose)
  }

  async function join(
    memberId: string,
    owned: readonly number[],
    sessionTimeout: number,
    rebalanceTimeout: number,
  ): Promise<Joined> {
    interface Answer {
      generationId: number
      leaderId: string
      memberId: string
      members: { memberId: string; memberMetadata: Buffer }[]
    }
    const userData = Buffer.from(JSON.stringify(owned))
    const metadata = AssignerProtocol.MemberMetadata.encode({ version: 0, topics: [topic], userData })
    const answer = await (await link('group')).call<Answer>(
      'JoinGroup',
      {
        groupId,
        sessionTimeout,
        rebalanceTimeout,
        memberId,
        protocolType: 'consumer',
        groupProtocols: [{ name: PROTOCOL, metadata }],
      },
      rebalanceTimeout + ASK_MS,
    )
    return {
      generation: answer.generationId,
      memberId: answer.memberId,
      isLeader: answer.leaderId === answer.memberId,
      members: answer.members.map((member) => ({ memberId: member.memberId, owned: ownedBy(member.memberMetadata) })),
    }
  }

  async function sync(
    { generation, memberId }: Membership,
    shares: ReadonlyMap<string, readonly number[]>,
    rebalanceTimeout: number,
  ): Promise<number[]> {
    const groupAssignment = Array.from(shares, ([member, partitions]) => ({
      memberId: member,
      memberAssignment: AssignerProtocol.MemberAssignment.encode({
        version: 0,
        assignment: { [topic]: [...partitions] },
        userData: Buffer.alloc(0),
      }),
    }))
    const { memberAssignment } = await (await link('group')).call<{ memberAssignment: Buffer }>(
      'SyncGroup',
      { groupId, generationId: generation, memberId, groupAssignment },
      rebalanceTimeout + ASK_MS,
    )
    return AssignerProtocol.MemberAssignment.decode(memberAssignment)?.assignment[topic] ?? []
  }

  return {
    join,
    sync,
    async heartbeat({ generation, memberId }, timeoutMs) {
      await (await link('group')).call('Heartbeat', { groupId, groupGenerationId: generation, memberId }, timeoutMs)
    },
    async leave(memberId, timeoutMs) {
      // On a connection of its own: on the other one, a request to join may be waiting for all members.
      await (await link('ask')).call('LeaveGroup', { groupId, memberId }, timeoutMs)
    },
    async commit({ generation, memberId }, positions) {
      const partitions = Array.from(positions, ([partition, offset]) => ({ partition, offset: String(offset) }))
      const topics = [{ topic, partitions }]
      await (await link('ask')).call(
        'OffsetCommit',
        { groupId, groupGenerationId: generation, memberId, topics },
        ASK_MS,
      )
    },
    async committed(partitions) {
      interface Answer {
        responses: { partitions: { partition: number; offset: string }[] }[]
      }
      const asked = Array.from({ length: partitions }, (_, partition) => ({ partition }))
      const answer = await (await link('ask')).call<Answer>(
        'OffsetFetch',
        { groupId, topics: [{ topic, partitions: asked }] },
        ASK_MS,
      )
      const found = answer.responses.flatMap((response) => response.partitions)
      return new Map(found.map(({ partition, offset }) => [partition, Number(offset)]))
    },
    forget() {
      place = undefined
    },
  }
}

/** The id that the group has given to somebody who asked without one. */
export function requiredMemberId(error: KafkaError): string | undefined {
  return error.type === 'MEMBER_ID_REQUIRED' ? (error.cause as { memberId: string }).memberId : undefined
}

function ownedBy(metadata: Buffer): number[] {
  try {
    const owned: unknown = JSON.parse(AssignerProtocol.MemberMetadata.decode(metadata)?.userData.toString('utf8') ?? '')
    return Array.isArray(owned) ? owned.filter(Number.isInteger) : []
  } catch {
    return []
  }
}
