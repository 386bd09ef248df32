/** What a server needs of Kafka. */
export { createCommittedPositions, createKafkaConsumerGroup } from './kafka-consumer-group.ts'
export { createKafkaEventLog } from './kafka-event-log.ts'
export { createKafkaUniqueRows } from './kafka-unique-rows.ts'
export { createKafkaWindowFeed } from './kafka-window-feed.ts'
