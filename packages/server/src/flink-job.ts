import { setTimeout as sleep } from 'node:timers/promises'
import { FlinkError } from './adapters/flink/flink-error.ts'
import { isSecret, kafkaProperties, unknownToJava } from './adapters/flink/kafka-properties.ts'
import { openSqlGateway, type SqlGateway } from './adapters/flink/sql-gateway.ts'
import {
  jobName,
  jobSettings,
  jobStatements,
  leastTransactionMs,
  type WindowsJobOptions,
} from './adapters/flink/windows-job.ts'
import { longestTransactionMs } from './adapters/kafka/check-windows.ts'
import { createKafkaWindowFeed } from './adapters/kafka/kafka-window-feed.ts'
import { type Config, ConfigError } from './config.ts'
import { DUPLICATE_MS, kafkaConnection, windowsTopicOf } from './open-adapters.ts'

export interface FlinkJobOptions {
  /** How often what was counted becomes visible, ms. @default 1000 */
  checkpointMs?: number
  /** After so long brokers give up what the job has written and not committed, ms. @default 900000 */
  transactionMs?: number
  /** Where Flink finds Nowcast's functions, a path or an address; by default they are in its `lib/`. */
  jar?: string
  /** A savepoint or retained checkpoint to go on from. */
  from?: string
  /** More properties of Kafka's Java client. */
  kafkaProperties?: Readonly<Record<string, string>>
}

export interface SubmitOptions extends FlinkJobOptions {
  /** Where Flink's SQL gateway answers. */
  gateway: string
  /** Stop the job that runs with a savepoint and go on from it. */
  isUpgrade?: boolean
}

const POLL_MS = 500
const RUNNING_MS = 120_000
const ENDED = ['FINISHED', 'CANCELED', 'FAILED', 'SUSPENDED']

/**
 * The job as a script for Flink's SQL client. What is printed ends up in terminals and files: `…` stands for secrets.
 * @throws ConfigError, FlinkError
 */
export function flinkScript(config: Config, options: FlinkJobOptions & { withSecrets?: boolean } = {}): string {
  const { withSecrets, ...rest } = options
  const whole = toJob(config, rest)
  const job = withSecrets ? whole : { ...whole, kafkaProperties: withoutSecrets(whole.kafkaProperties) }
  const settings = Object.entries(jobSettings(job)).map(
    ([name, value]) => `SET '${name}' = '${value.replaceAll("'", "''")}';`,
  )
  return `${[...settings, ...jobStatements(job).map((statement) => `\n${statement};`)].join('\n')}\n`
}

/**
 * Makes the topic of windows where it is missing, and submits the job.
 * @returns the job's id, and the savepoint that it goes on from
 * @throws FlinkError that says what to do; ConfigError
 */
export async function submitFlinkJob(
  config: Config,
  options: SubmitOptions,
): Promise<{ id: string; from: string | undefined }> {
  const job = toJob(config, options)
  const windows = { ...kafkaConnection(kafkaOf(config)), topic: job.windowsTopic }
  const feed = createKafkaWindowFeed(windows)
  try {
    await feed.start()
  } finally {
    await feed.stop()
  }
  const longestMs = await longestTransactionMs(windows)
  if (longestMs !== undefined && longestMs < job.transactionMs) {
    throw new FlinkError(
      `the brokers allow transactions of ${longestMs} ms at most (transaction.max.timeout.ms), and the job asks for ${job.transactionMs} ms: raise it there, or submit with --transaction-timeout ${Math.floor(longestMs / 1000)}s`,
    )
  }
  const from = await makeWay(job, options)
  const settings = jobSettings({ ...job, ...(from !== undefined && { from }) })
  const gateway = await openSqlGateway(options.gateway, settings, secretsOf(job.kafkaProperties))
  try {
    const statements = jobStatements(job)
    let answer: string[][] = []
    for (const statement of statements) answer = await gateway.run(statement)
    const id = answer[0]?.[0]
    if (id === undefined) throw new FlinkError('Flink took the job and gave it no id')
    await untilRunning(gateway, id)
    return { id, from }
  } finally {
    await gateway.close()
  }
}

/** Two jobs would write over each other: stops the one that runs, or refuses. @returns what to go on from */
async function makeWay(job: WindowsJobOptions, { gateway: url, isUpgrade, from }: SubmitOptions) {
  const gateway = await openSqlGateway(url, {})
  try {
    const running = (await gateway.run('SHOW JOBS')).find(
      ([, name, status = '']) => name === jobName(job) && !ENDED.includes(status),
    )
    if (!running) return from
    const [id = '', , status] = running
    if (!isUpgrade) {
      throw new FlinkError(
        `the job ${jobName(job)} is there already (${id}, ${status}): replace it, with all that it has counted, by --upgrade, or cancel it first`,
      )
    }
    const [[savepoint] = []] = await gateway.run(`STOP JOB '${id}' WITH SAVEPOINT`)
    if (savepoint === undefined) throw new FlinkError(`Flink stopped ${id} without a savepoint`)
    return savepoint
  } finally {
    await gateway.close()
  }
}

async function untilRunning(gateway: SqlGateway, id: string): Promise<void> {
  const deadline = performance.now() + RUNNING_MS
  for (;;) {
    const [, , status = 'gone'] = (await gateway.run('SHOW JOBS')).find(([each]) => each === id) ?? []
    if (status === 'RUNNING') return
    if (ENDED.includes(status) || performance.now() > deadline) {
      throw new FlinkError(
        `the job ${id} was taken, but is ${status}: its page in Flink's dashboard, under Exceptions, says why (too few task slots, or Kafka cannot be reached from there?)`,
      )
    }
    await sleep(POLL_MS)
  }
}

function kafkaOf({ kafka }: Config) {
  if (!kafka) throw new ConfigError('kafka: the job reads events from Kafka and writes windows to it: set --kafka')
  return kafka
}

type Properties = Readonly<Record<string, string>>

const withoutSecrets = (properties: Properties) =>
  Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, isSecret(name) ? '…' : value]))

/** As they are, and as SQL writes them. */
function secretsOf(properties: Properties): string[] {
  const values = Object.entries(properties).flatMap(([name, value]) => (isSecret(name) && value ? [value] : []))
  return values.flatMap((value) => [value, value.replaceAll("'", "''")])
}

function toJob(config: Config, options: FlinkJobOptions): WindowsJobOptions & { kafkaProperties: Properties } {
  const kafka = kafkaOf(config)
  const [unknown] = unknownToJava(kafka.ssl)
  if (unknown && !options.kafkaProperties) {
    throw new ConfigError(
      `kafka.ssl.${unknown}: Flink knows ca, cert, key and passphrase of these; say the rest in its own words by --property, like --property ssl.endpoint.identification.algorithm=`,
    )
  }
  const { checkpointMs = 1000, transactionMs = 900_000 } = options
  const leastMs = leastTransactionMs(checkpointMs)
  if (transactionMs < leastMs) {
    throw new ConfigError(
      `--transaction-timeout: ${leastMs / 1000}s or more are needed with a checkpoint every ${checkpointMs} ms`,
    )
  }
  return {
    ...options,
    brokers: kafka.brokers,
    topic: kafka.topic,
    windowsTopic: windowsTopicOf(config, kafka),
    // The rule of this server's own consumers: both must agree on what is a repeat.
    duplicateOffsets: Math.ceil(config.duplicateOffsets / kafka.partitions),
    duplicateMs: DUPLICATE_MS,
    checkpointMs,
    transactionMs,
    kafkaProperties: { ...kafkaProperties(kafka), ...options.kafkaProperties },
  }
}
