import type { RawRequest } from '../broker-link.ts'
import { WireReader } from './wire-reader.ts'
import { WireWriter } from './wire-writer.ts'

const METADATA = 3
/** The first version that tells a topic's id. */
const VERSION = 10
const NO_ID = Buffer.alloc(16)

interface PartitionMetadata {
  errorCode: number
  index: number
  leader: number
  replicas: number
}

export interface ClusterMetadata {
  brokers: { nodeId: number; host: string; port: number }[]
  controllerId: number
  topic: { errorCode: number; id: Buffer; partitions: PartitionMetadata[] }
}

/** Asks for the brokers and for one topic. */
export function metadataRequest(topic: string): RawRequest {
  const fields = new WireWriter()
    .compactArray([topic], (topics, name) => topics.raw(NO_ID).compactString(name).noTags())
    .int8(0) // never create it by asking
    .int8(0)
    .int8(0)
    .noTags()
  return { apiKey: METADATA, apiVersion: VERSION, isFlexible: true, body: [fields.take()] }
}

export function readMetadata(answer: Buffer): ClusterMetadata {
  const reader = new WireReader(answer)
  reader.int32() // throttle time
  const brokers = reader.compactArray(() => {
    const broker = { nodeId: reader.int32(), host: reader.compactString() ?? '', port: reader.int32() }
    reader.compactString() // rack
    reader.tags()
    return broker
  })
  reader.compactString() // cluster id
  const controllerId = reader.int32()
  const topics = reader.compactArray(() => {
    const errorCode = reader.int16()
    reader.compactString() // name
    const id = Buffer.from(reader.raw(16))
    reader.int8() // internal
    const partitions = reader.compactArray(() => {
      const partition = { errorCode: reader.int16(), index: reader.int32(), leader: reader.int32() }
      reader.int32() // leader epoch
      const replicas = reader.compactArray(() => reader.int32()).length
      for (const _ of ['in sync', 'offline']) reader.compactArray(() => reader.int32())
      reader.tags()
      return { ...partition, replicas }
    })
    reader.int32() // authorized operations
    reader.tags()
    return { errorCode, id, partitions }
  })
  const topic = topics[0] ?? { errorCode: 3, id: NO_ID, partitions: [] }
  topic.partitions.sort((a, b) => a.index - b.index)
  return { brokers, controllerId, topic }
}
