import { murmur3 } from '../../record/murmur3.ts'
import { type BrokerLink, createBrokerLink, type KafkaConnectionOptions } from './broker-link.ts'
import { KafkaError, kafkaErrorOf } from './kafka-error.ts'
import { type ClusterMetadata, metadataRequest, readMetadata } from './wire/metadata.ts'

const ASK_MS = 3000
const UNKNOWN_TOPIC = 3

/** What a connection is for: what waits long on one must not hold up the others. */
export type Purpose = 'ask' | 'append' | 'follow' | 'catch-up' | 'group'

/** The topic as the brokers know it now, and connections to them. */
export interface TopicView {
  readonly topic: string
  /** The topic's own id; another one after it was deleted and made anew. */
  readonly id: Buffer
  /** A positive number of 31 bits out of {@link id}. */
  readonly epoch: number
  readonly partitions: number
  /** Copies of each partition. */
  readonly replicas: number
  readonly brokers: number
  /** Asks the brokers again; calls under way are shared. @throws KafkaError */
  refresh(): Promise<void>
  /** As {@link refresh}, and tells whether the topic is there. */
  find(): Promise<boolean>
  /** Partitions by the broker that leads them, and why others have none. @throws KafkaError when nothing is known */
  byLeader(partitions: readonly number[]): { leaders: Map<number, number[]>; problem: KafkaError | undefined }
  /** A connection to a broker. */
  link(nodeId: number, purpose: Purpose): BrokerLink
  linkTo(host: string, port: number, purpose: Purpose): BrokerLink
  /** A connection to whichever broker answers. */
  anyLink(purpose: Purpose): Promise<BrokerLink>
  controllerLink(): Promise<BrokerLink>
  close(): void
}

/** A view that knows nothing before its first `refresh`. */
export function createTopicView(topic: string, options: KafkaConnectionOptions): TopicView {
  const links = new Map<string, BrokerLink>()
  let metadata: ClusterMetadata | undefined
  let refreshing: Promise<void> | undefined
  /** The broker that has answered last. */
  let answering: { host: string; port: number } | undefined
  let isClosed = false

  function linkTo(host: string, port: number, purpose: Purpose): BrokerLink {
    if (isClosed) throw new KafkaError('CONNECTION', 'the connections to Kafka were closed by us')
    const name = `${purpose} ${host}:${port}`
    let link = links.get(name)
    if (!link) {
      link = createBrokerLink(host, port, options)
      links.set(name, link)
    }
    return link
  }

  /** The broker that answered last, the others that are known, then those of the configuration. */
  function addresses(): { host: string; port: number }[] {
    const seeds = options.brokers.map((broker) => {
      const colon = broker.lastIndexOf(':')
      return { host: broker.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(broker.slice(colon + 1)) }
    })
    return [...(answering ? [answering] : []), ...(metadata?.brokers ?? []), ...seeds]
  }

  async function ask(): Promise<ClusterMetadata> {
    let failure: unknown
    for (const { host, port } of addresses()) {
      try {
        const answer = readMetadata(await linkTo(host, port, 'ask').send(metadataRequest(topic), ASK_MS))
        answering = { host, port }
        return answer
      } catch (error) {
        failure ??= error
      }
    }
    throw failure
  }

  function refresh(): Promise<void> {
    refreshing ??= ask()
      .then((answer) => {
        const error = kafkaErrorOf(answer.topic.errorCode)
        // A topic that is gone keeps its id until another one takes its name.
        const id = error && metadata ? metadata.topic.id : answer.topic.id
        if (!error || answer.topic.errorCode === UNKNOWN_TOPIC) metadata = { ...answer, topic: { ...answer.topic, id } }
        if (error) throw error
      })
      .finally(() => {
        refreshing = undefined
      })
    return refreshing
  }

  function known(): ClusterMetadata {
    if (!metadata) throw new KafkaError('CONNECTION', 'the brokers of Kafka were not reached yet')
    return metadata
  }

  function link(nodeId: number, purpose: Purpose): BrokerLink {
    const broker = known().brokers.find((one) => one.nodeId === nodeId)
    if (!broker) throw new KafkaError('BROKER_NOT_AVAILABLE', `broker ${nodeId} of Kafka is not there`)
    return linkTo(broker.host, broker.port, purpose)
  }

  return {
    topic,
    get id() {
      return known().topic.id
    },
    get epoch() {
      return epochOf(known().topic.id)
    },
    get partitions() {
      return metadata?.topic.partitions.length ?? 0
    },
    get replicas() {
      return Math.min(...known().topic.partitions.map(({ replicas }) => replicas))
    },
    get brokers() {
      return known().brokers.length
    },
    refresh,
    async find() {
      try {
        await refresh()
        return true
      } catch (error) {
        if ((error as KafkaError).type === 'UNKNOWN_TOPIC_OR_PARTITION') return false
        throw error
      }
    },
    byLeader(partitions) {
      const error = kafkaErrorOf(known().topic.errorCode)
      if (error) throw error
      const leaders = new Map<number, number[]>()
      let problem: KafkaError | undefined
      for (const partition of partitions) {
        const leader = known().topic.partitions[partition]?.leader ?? -1
        const group = leaders.get(leader)
        if (leader < 0) {
          problem ??= new KafkaError('LEADER_NOT_AVAILABLE', `partition ${partition} of ${topic} has no leader now`)
        } else if (group) group.push(partition)
        else leaders.set(leader, [partition])
      }
      return { leaders, problem }
    },
    link,
    linkTo,
    async anyLink(purpose) {
      if (!answering) await refresh()
      const { host, port } = answering as { host: string; port: number }
      return linkTo(host, port, purpose)
    },
    async controllerLink() {
      if (!metadata) await refresh()
      return link(known().controllerId, 'ask')
    },
    close() {
      isClosed = true
      for (const one of links.values()) one.close()
      links.clear()
    },
  }
}

const words = new Uint32Array(3)

/** Topic ids are random, so 31 bits of them differ as well. */
function epochOf(id: Buffer): number {
  murmur3(id.toString('hex'), 0, words, 0)
  return (words[0] as number) & 0x7fffffff || 1
}
