import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { kafkaJars } from '../../scripts/kafka-jars.mjs'
import { type KafkaServer, kafkaIsMissing, startKafka } from '../../test/servers/start-kafka.ts'
import { startRedis, type TestRedis } from '../../test/servers/start-redis.ts'

/*
 * A broker of Kafka, a Redis, and Kafka's own tools. Told `start` or `redis` it answers where the broker is, or a Redis
 * that is empty; told `{ tool, args }` it runs one of the tools and answers what it printed, and the CPU time it took.
 */

/** As a server is run, not as tests start fastest. */
const JVM = ['-Xms1g', '-Xmx1g', '-XX:+UseG1GC', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error']
let kafka: KafkaServer | undefined
let redis: TestRedis | undefined

async function start(): Promise<{ address: string }> {
  if (kafkaIsMissing) throw new Error(kafkaIsMissing)
  kafka = await startKafka({ jvm: JVM })
  return { address: kafka.address }
}

async function emptyRedis(): Promise<{ redis: string }> {
  await redis?.remove()
  redis = await startRedis()
  return { redis: redis.url }
}

function run(tool: string, args: string[]): Promise<{ output: string; cpuMs: number }> {
  // The shell's own clock for its child: user and system time.
  const command = ['-c', 'TIMEFORMAT="%U %S"; time "$@"', 'bash', 'java', ...JVM, '-cp', join(kafkaJars, '*'), tool]
  const child = spawn('bash', [...command, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  let errors = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  child.stderr.on('data', (chunk) => {
    errors += chunk
  })
  return new Promise((resolve, reject) => {
    child.on('close', (code) => {
      if (code !== 0) return reject(new Error(`${tool} ended with ${code}: ${errors}`))
      const [user = 0, system = 0] = errors.trim().split('\n').at(-1)?.split(' ').map(Number) ?? []
      resolve({ output, cpuMs: (user + system) * 1000 })
    })
  })
}

type Message = 'start' | 'redis' | { tool: string; args: string[] }

process.on('message', (message: Message) => {
  const answer = message === 'start' ? start() : message === 'redis' ? emptyRedis() : run(message.tool, message.args)
  answer.then(
    (done) => process.send?.(done),
    (error: Error) => process.send?.({ error: error.message }),
  )
})
process.on('disconnect', async () => {
  await kafka?.stop()
  await redis?.remove()
  process.exit()
})
