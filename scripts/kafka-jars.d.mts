/** Where the jars of Kafka's server and tools lie, once they are installed. */
export const kafkaJars: string
/** Whether the jars are there. */
export function hasKafkaJars(): boolean
/** Fetches the jars through Maven; answers why it failed. */
export function installKafkaJars(): Promise<string | undefined>
