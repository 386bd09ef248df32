import { setTimeout as sleep } from 'node:timers/promises'
import type { BrokerLink } from './broker-link.ts'
import { KafkaError, kafkaErrorOf } from './kafka-error.ts'
import { encodeRows } from './records/encode-rows.ts'
import type { TopicView } from './topic-view.ts'
import { produceRequest, readProduced } from './wire/produce.ts'

const ASK_MS = 5000
/** A transaction whose writer is gone is ended by Kafka after this time, or as soon as somebody takes its place. */
const TRANSACTION_MS = 30_000
const BATCH_BYTES = 900 * 1024
const RECORD_OVERHEAD = 32
const SETTLE_MS = 30_000
const PAUSE_MS = 20
/** Kafka's number for coordinators of transactions. */
const TRANSACTION = 1
/** The transaction before is still being written down, or the coordinator has just come or gone: nothing was done. */
const PASSING = new Set([
  'CONCURRENT_TRANSACTIONS',
  'GROUP_LOAD_IN_PROGRESS',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR_FOR_GROUP',
])

/**
 * Writes to one partition in transactions under a name that only one process can hold: who takes it ends what the
 * others have begun, and Kafka refuses them from then on.
 */
export interface TransactionWriter {
  /** Takes the name. What was begun under it before is aborted or committed when this resolves. @throws KafkaError */
  take(): Promise<void>
  /**
   * Writes records in one transaction. Nothing is sent a second time.
   * @throws KafkaError when it is unknown whether it was committed: {@link take} settles that
   */
  write(rows: readonly { key: Buffer; value: Uint8Array }[]): Promise<void>
}

export function createTransactionWriter(view: TopicView, partition: number): TransactionWriter {
  const transactionalId = `${view.topic}.${partition}`
  let coordinator: { host: string; port: number } | undefined
  let producer: { id: string; epoch: number; sequence: number } | undefined

  async function link(): Promise<BrokerLink> {
    if (!coordinator) {
      const any = await view.anyLink('ask')
      const asked = { groupId: transactionalId, coordinatorType: TRANSACTION }
      const found = await any.call<{ coordinator: { host: string; port: number } }>('GroupCoordinator', asked, ASK_MS)
      coordinator = found.coordinator
    }
    return view.linkTo(coordinator.host, coordinator.port, 'append')
  }

  /** Asks the coordinator, again while it is at work on what was before. */
  async function ask<Answer>(name: string, options: object): Promise<Answer> {
    const deadline = performance.now() + SETTLE_MS
    for (;;) {
      try {
        return await (await link()).call<Answer>(name, { transactionalId, ...options }, ASK_MS)
      } catch (error) {
        const { type } = error as KafkaError
        if (type !== 'CONCURRENT_TRANSACTIONS') coordinator = undefined
        if (!PASSING.has(type) || performance.now() > deadline) throw error
        await sleep(PAUSE_MS)
      }
    }
  }

  async function take(): Promise<void> {
    const answer = await ask<{ producerId: string; producerEpoch: number }>('InitProducerId', {
      transactionTimeout: TRANSACTION_MS,
    })
    producer = { id: answer.producerId, epoch: answer.producerEpoch, sequence: 0 }
  }

  async function produce(bytes: Buffer): Promise<void> {
    const { leaders, problem } = view.byLeader([partition])
    if (problem) throw problem
    const [leader] = [...leaders.keys()] as [number]
    const request = produceRequest(view.topic, [{ partition, bytes }], ASK_MS, transactionalId)
    const [produced] = readProduced(await view.link(leader, 'append').send(request, ASK_MS))
    const error = kafkaErrorOf(produced?.errorCode ?? 0)
    if (error || !produced) throw error ?? new KafkaError('UNKNOWN', 'Kafka answered without a word on the rows')
  }

  async function write(rows: readonly { key: Buffer; value: Uint8Array }[]): Promise<void> {
    if (!producer) throw new KafkaError('UNKNOWN_PRODUCER_ID', 'the name of the transactions was not taken')
    const held = producer
    // Whatever happens on the way, nothing more is written under what is known now.
    producer = undefined
    const identity = { producerId: held.id, producerEpoch: held.epoch }
    await ask('AddPartitionsToTxn', { ...identity, topics: [{ topic: view.topic, partitions: [partition] }] })
    let { sequence } = held
    for (let from = 0; from < rows.length; ) {
      const to = fitting(rows, from)
      await produce(encodeRows(rows.slice(from, to), { id: BigInt(held.id), epoch: held.epoch, sequence }, Date.now()))
      sequence = (sequence + to - from) % 2 ** 31
      from = to
    }
    await ask('EndTxn', { ...identity, transactionResult: true })
    producer = { ...held, sequence }
  }

  return { take, write }
}

/** Index behind the last row that fits into a batch. */
function fitting(rows: readonly { key: Buffer; value: Uint8Array }[], from: number): number {
  let bytes = 0
  let to = from
  for (; to < rows.length; to++) {
    const { key, value } = rows[to] as { key: Buffer; value: Uint8Array }
    bytes += key.byteLength + value.byteLength + RECORD_OVERHEAD
    if (bytes > BATCH_BYTES && to > from) break
  }
  return to
}
