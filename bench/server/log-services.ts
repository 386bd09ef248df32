import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { kafkaJars } from '../../scripts/kafka-jars.mjs'
import { startClickHouse, type TestClickHouse } from '../../test/servers/start-clickhouse.ts'
import { type KafkaServer, kafkaIsMissing, startKafka } from '../../test/servers/start-kafka.ts'
import { startRedis, type TestRedis } from '../../test/servers/start-redis.ts'
import { cpuMsOf } from './process-cpu.ts'

/*
 * A broker of Kafka, a Redis, ClickHouse's engine, and Kafka's own tools. Told `start`, `redis` or `clickhouse` it answers
 * where the broker is, or a Redis or an engine that is empty; told `cpu` with the CPU time that broker and Redis have
 * taken; told `{ tool, args }` it runs one of the tools and answers what it printed, and the CPU time it took.
 */

/** As a server is run, not as tests start fastest. */
const JVM = ['-Xms1g', '-Xmx1g', '-XX:+UseG1GC', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error']
let kafka: KafkaServer | undefined
let redis: TestRedis | undefined
let clickhouse: TestClickHouse | undefined

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

/** Needs the built server: `npm run build`. */
async function emptyClickHouse(): Promise<{ clickhouse: string }> {
  await clickhouse?.remove()
  clickhouse = await startClickHouse()
  return { clickhouse: clickhouse.urlOn(clickhouse.target.port) }
}

/** CPU time so far, ms. */
async function cpu(): Promise<{ brokerMs: number; redisMs: number }> {
  const info = (await redis?.command('INFO', 'cpu')) ?? ''
  const used = [...info.matchAll(/^used_cpu_(?:user|sys):([\d.]+)/gm)].map(([, seconds]) => Number(seconds) * 1000)
  return { brokerMs: cpuMsOf(kafka?.pid as number), redisMs: used.reduce((sum, ms) => sum + ms, 0) }
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

type Message = 'start' | 'redis' | 'clickhouse' | 'cpu' | { tool: string; args: string[] }
const ANSWERS = { start, redis: emptyRedis, clickhouse: emptyClickHouse, cpu }

process.on('message', (message: Message) => {
  const answer: Promise<object> = typeof message === 'string' ? ANSWERS[message]() : run(message.tool, message.args)
  answer.then(
    (done) => process.send?.(done),
    (error: Error) => process.send?.({ error: error.message }),
  )
})
process.on('disconnect', async () => {
  await kafka?.stop()
  await redis?.remove()
  await clickhouse?.remove()
  process.exit()
})
