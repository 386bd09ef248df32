/** Where the jars of Kafka's server and tools lie, once they are installed. */
export const kafkaJars: string
/** Flags of a JVM that runs one of Kafka's programs, and starts fast. */
export function kafkaJvmFlags(): string[]
/** Those of them that say where the jars are. */
export function kafkaClassPath(): string[]
/** Whether the jars are there. */
export function hasKafkaJars(): boolean
/** Fetches the jars through Maven; answers why it failed. */
export function installKafkaJars(): Promise<string | undefined>
