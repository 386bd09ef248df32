/** What the job depends on. */
export interface WindowsJobOptions {
  /** `host:port` of some brokers. */
  brokers: readonly string[]
  /** Topic of events. */
  topic: string
  /** Topic that the job writes to; of one partition. */
  windowsTopic: string
  /** N of the duplicate rule for one partition. */
  duplicateOffsets: number
  /** W of the duplicate rule, ms. */
  duplicateMs: number
  /** How often what was counted becomes visible, ms. */
  checkpointMs: number
  /** After so long brokers give up what was written and not committed, ms. */
  transactionMs: number
  /** Where Flink finds the functions, a path or an address; undefined when they are in its `lib/`. */
  jar?: string
  /** A savepoint or retained checkpoint to go on from. */
  from?: string
  /** More properties of the connections to Kafka, as Kafka's Java client names them. */
  kafkaProperties?: Readonly<Record<string, string>>
}

/** Cells of a minute can change for so long after it: the hot store keeps it for 25 hours, and a job may stand still as long. */
const MINUTE_STATE = '50 h'
/** Events are counted in the second they were received, so a second changes only while it is read. */
const SECOND_STATE = '10 min'
/** Events older than this when they were received are the archive's alone, ms: the hot store has given their minute up. */
const MOST_AGE_MS = 25 * 3_600_000 + 60_000
/** In a row; see `jobSettings`. */
const FAILED_CHECKPOINTS = 2
/** A transaction has to last for so many checkpoints. */
const CHECKPOINTS_OF_TRANSACTION = 10
const FUNCTIONS = {
  nowcast_bucket: 'BucketFunction',
  nowcast_unique_events: 'UniqueEventsFunction',
  nowcast_cell: 'CellFunction',
  nowcast_positions: 'PositionsFunction',
}

const NO_PARTITIONS =
  'CAST(NULL AS ARRAY<ROW<`partition` INT, `first` BIGINT, `next` BIGINT, `first_at` BIGINT, `last_at` BIGINT>>)'

/** A text in SQL. */
const text = (value: string) => `'${value.replaceAll("'", "''")}'`

/** The name of the job in Flink. */
export const jobName = ({ topic, windowsTopic }: Pick<WindowsJobOptions, 'topic' | 'windowsTopic'>) =>
  `nowcast: ${topic} to ${windowsTopic}`

/** The shortest time-out of transactions with which none is lost while the job works, ms. */
export const leastTransactionMs = (checkpointMs: number) => Math.max(60_000, checkpointMs * CHECKPOINTS_OF_TRANSACTION)

/** The settings of the session that the job is submitted in. */
export function jobSettings(options: WindowsJobOptions): Record<string, string> {
  const { checkpointMs, transactionMs, from } = options
  return {
    'pipeline.name': jobName(options),
    'execution.runtime-mode': 'streaming',
    // What was counted becomes visible with each checkpoint.
    'execution.checkpointing.mode': 'EXACTLY_ONCE',
    'execution.checkpointing.interval': `${checkpointMs} ms`,
    'execution.checkpointing.min-pause': `${Math.ceil(checkpointMs / 4)} ms`,
    'execution.checkpointing.incremental': 'true',
    // What a checkpoint has counted is written before it, and committed when it, or a later one, is complete. While none
    // is, the job has to begin again at the last one before the brokers give up what was written: within 0.9 of that time.
    'execution.checkpointing.timeout': `${Math.floor(transactionMs / 6)} ms`,
    'execution.checkpointing.tolerable-failed-checkpoints': String(FAILED_CHECKPOINTS),
    'restart-strategy.type': 'exponential-delay',
    'restart-strategy.exponential-delay.max-backoff': '10 s',
    'restart-strategy.exponential-delay.reset-backoff-threshold': '1 min',
    // A job manager that dies takes its jobs with it: they go on from the checkpoint that it leaves.
    'execution.checkpointing.externalized-checkpoint-retention': 'RETAIN_ON_CANCELLATION',
    'state.backend.type': 'rocksdb',
    // Cells are written once a checkpoint, however many events they take.
    'table.exec.mini-batch.enabled': 'true',
    'table.exec.mini-batch.allow-latency': `${Math.max(100, Math.floor(checkpointMs / 2))} ms`,
    'table.exec.mini-batch.size': '50000',
    'table.optimizer.agg-phase-strategy': 'TWO_PHASE',
    // The key of each row is that of its group: nothing has to be put in order before the topic.
    'table.exec.sink.upsert-materialize': 'NONE',
    // One writer for all rows: what a checkpoint has counted is one transaction.
    'table.optimizer.reuse-sink-enabled': 'true',
    ...(from === undefined ? {} : { 'execution.state-recovery.path': from }),
  }
}

/** Functions, tables and views, then the job itself: the last statement. */
export function jobStatements(options: WindowsJobOptions): string[] {
  const {
    brokers,
    topic,
    windowsTopic,
    duplicateOffsets,
    duplicateMs,
    transactionMs,
    jar,
    kafkaProperties = {},
  } = options
  const using = jar === undefined ? '' : ` USING JAR ${text(jar)}`
  const connection = Object.entries({ 'bootstrap.servers': brokers.join(), ...kafkaProperties })
    .map(([name, value]) => `  ${text(`properties.${name}`)} = ${text(value)},\n`)
    .join('')
  // Not a view: the planner of Flink 2.3 cannot expand one that calls a table function by names.
  const unique = `nowcast_unique_events(
    record => TABLE nowcast_records PARTITION BY (\`partition\`, \`bucket\`),
    duplicateOffsets => CAST(${duplicateOffsets} AS BIGINT),
    duplicateMs => CAST(${duplicateMs} AS BIGINT),
    uid => 'unique-events') AS nowcast_unique`
  // Part of the key, or each update would be a tombstone and a row; and in words that the planner takes for no constant.
  const kind = (name: string) => `CAST(IF(\`offset\` < 0, '', '${name}') AS STRING) AS \`kind\``
  return [
    ...Object.entries(FUNCTIONS).map(
      ([name, className]) =>
        `CREATE TEMPORARY SYSTEM FUNCTION ${name} AS ${text(`dev.nowcast.flink.${className}`)} LANGUAGE JAVA${using}`,
    ),
    `-- The events that ingest accepted. All that is counted stands in the header: no row is parsed.
CREATE TEMPORARY TABLE nowcast_events (
  \`row\` BYTES,
  \`headers\` MAP<STRING NOT NULL, BYTES> METADATA VIRTUAL,
  \`partition\` INT NOT NULL METADATA VIRTUAL,
  \`offset\` BIGINT NOT NULL METADATA VIRTUAL,
  \`timestamp\` TIMESTAMP_LTZ(3) NOT NULL METADATA VIRTUAL
) WITH (
  'connector' = 'kafka',
  'topic' = ${text(topic)},
${connection}  'properties.group.id' = ${text(`${topic}.flink`)},
  'properties.isolation.level' = 'read_uncommitted',
  'scan.startup.mode' = 'earliest-offset',
  'format' = 'raw'
)`,
    `-- What Nowcast sets in its hot store: the latest row of each key holds.
CREATE TEMPORARY TABLE nowcast_windows (
  \`kind\` STRING NOT NULL,
  \`at\` BIGINT NOT NULL,
  \`cell\` STRING NOT NULL,
  \`events\` BIGINT,
  \`revenue\` STRING,
  \`refunds\` BIGINT,
  \`refund_revenue\` STRING,
  \`users\` BYTES,
  \`sessions\` BYTES,
  \`generation\` STRING,
  \`partitions\` ARRAY<ROW<\`partition\` INT, \`first\` BIGINT, \`next\` BIGINT, \`first_at\` BIGINT, \`last_at\` BIGINT>>,
  PRIMARY KEY (\`kind\`, \`at\`, \`cell\`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = ${text(windowsTopic)},
${connection}  'properties.transaction.timeout.ms' = '${transactionMs}',
  'properties.compression.type' = 'lz4',
  'key.format' = 'json',
  'value.format' = 'json',
  'value.fields-include' = 'EXCEPT_KEY',
  'value.json.encode.ignore-null-fields' = 'true',
  'sink.parallelism' = '1',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = ${text(windowsTopic)},
  'sink.transaction-naming-strategy' = 'INCREMENTING'
)`,
    `CREATE TEMPORARY VIEW nowcast_records AS
SELECT \`partition\`, \`offset\`, CAST(EXTRACT(EPOCH FROM \`timestamp\`) AS BIGINT) * 1000 AS \`appended\`,
  \`headers\`['nowcast'] AS \`header\`, nowcast_bucket(\`headers\`['nowcast']) AS \`bucket\`
FROM nowcast_events`,
    `EXECUTE STATEMENT SET BEGIN
-- One-minute windows of event time; a late event corrects its own.
INSERT INTO nowcast_windows
SELECT \`kind\`, \`minute\`, \`cell\`, c.\`events\`, c.\`revenue\`, c.\`refunds\`, c.\`refund_revenue\`, c.\`users\`, c.\`sessions\`,
  CAST(NULL AS STRING), ${NO_PARTITIONS}
FROM (
  SELECT /*+ STATE_TTL('counted' = '${MINUTE_STATE}') */ \`kind\`, \`minute\`, \`cell\`, nowcast_cell(\`revenue\`, \`user\`, \`session\`) AS c
  FROM (SELECT ${kind('minute')}, * FROM ${unique}) AS counted
  WHERE \`counted\` AND \`age\` < ${MOST_AGE_MS}
  GROUP BY \`kind\`, \`minute\`, \`cell\`);
-- Events by the second they were received in.
INSERT INTO nowcast_windows
SELECT \`kind\`, \`second\`, \`cell\`, \`events\`,
  CAST(NULL AS STRING), CAST(NULL AS BIGINT), CAST(NULL AS STRING), CAST(NULL AS BYTES), CAST(NULL AS BYTES),
  CAST(NULL AS STRING), ${NO_PARTITIONS}
FROM (
  SELECT /*+ STATE_TTL('counted' = '${SECOND_STATE}') */ \`kind\`, \`second\`, \`cell\`, COUNT(*) AS \`events\`
  FROM (SELECT ${kind('second')}, * FROM ${unique}) AS counted
  WHERE \`counted\`
  GROUP BY \`kind\`, \`second\`, \`cell\`);
-- Up to where events are counted, in the same transaction as the counts.
INSERT INTO nowcast_windows
SELECT \`kind\`, \`at\`, \`name\`, CAST(NULL AS BIGINT),
  CAST(NULL AS STRING), CAST(NULL AS BIGINT), CAST(NULL AS STRING), CAST(NULL AS BYTES), CAST(NULL AS BYTES),
  p.\`generation\`, p.\`partitions\`
FROM (
  SELECT \`kind\`, \`at\`, \`name\`, nowcast_positions(\`partition\`, \`offset\`, \`appended\`) AS p
  FROM (
    SELECT ${kind('positions')}, IF(\`offset\` < 0, CAST(1 AS BIGINT), CAST(0 AS BIGINT)) AS \`at\`,
      CAST(IF(\`offset\` < 0, '-', '') AS STRING) AS \`name\`, \`partition\`, \`offset\`, \`appended\`
    FROM ${unique})
  GROUP BY \`kind\`, \`at\`, \`name\`);
END`,
  ]
}
