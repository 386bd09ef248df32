import errors from 'kafkajs/src/protocol/error.js'

/** What went wrong between us and Kafka. */
export class KafkaError extends Error {
  override name = 'KafkaError'
  /** Kafka's own name of the error, such as `NOT_LEADER_FOR_PARTITION`; `CONNECTION` and `TIMEOUT` are ours. */
  readonly type: string

  constructor(type: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.type = type
  }
}

/** What to do about errors that only the operator can end. */
const REMEDIES: Record<string, string> = {
  TOPIC_AUTHORIZATION_FAILED:
    'the user may not use the topic: grant it Read, Write, Create, Describe and DescribeConfigs on it (kafka-acls)',
  GROUP_AUTHORIZATION_FAILED: 'the user may not use the consumer group: grant it Read on the group (kafka-acls)',
  CLUSTER_AUTHORIZATION_FAILED: 'the user may not create the topic: grant it Create, or create the topic yourself',
  SASL_AUTHENTICATION_FAILED: 'user name or password is wrong: check kafka.sasl',
  MESSAGE_TOO_LARGE: 'the topic takes no batch of this size: set max.message.bytes to 1048588 or more (kafka-configs)',
  RECORD_LIST_TOO_LARGE:
    'the topic takes no batch of this size: set max.message.bytes to 1048588 or more (kafka-configs)',
  NOT_ENOUGH_REPLICAS: 'fewer brokers are in sync than min.insync.replicas: start the missing brokers',
  UNKNOWN_TOPIC_OR_PARTITION:
    'the topic is not there: was it deleted? Make it again with as many partitions (kafka-topics.sh --create), or start a process of Nowcast anew, which makes it',
  KAFKA_STORAGE_ERROR: 'the disk of the broker fails or is full',
}

/** An error code of Kafka as an error that says what to do where somebody can; undefined for 0. */
export function kafkaErrorOf(code: number): KafkaError | undefined {
  if (code === 0) return undefined
  const type = NEWER_TYPES[code] ?? errors.createErrorFromCode(code).type
  return new KafkaError(type, wordsOf(type, errors.createErrorFromCode(code).message))
}

/** Codes that are younger than kafkajs. */
const NEWER_TYPES: Record<number, string> = {
  90: 'PRODUCER_FENCED',
  100: 'UNKNOWN_TOPIC_ID',
  103: 'INCONSISTENT_TOPIC_ID',
}

export function wordsOf(type: string, otherwise: string): string {
  const remedy = REMEDIES[type]
  return remedy ? `${remedy} (${type})` : `${otherwise} (${type})`
}
