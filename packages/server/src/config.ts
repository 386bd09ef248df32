import { isIP } from 'node:net'
import { z } from 'zod'
import { type Project, ProjectSchema, toProject } from './project.ts'

/** `10.0.0.1`, `10.0.0.0/8`, `fd00::/8`. */
function isSubnet(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/')
  const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1
  return rest.length === 0 && bits > 0 && (prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits))
}

/** What a process does of the whole. */
export const ROLES = ['ingest', 'aggregate', 'archive', 'query'] as const
export type Role = (typeof ROLES)[number]

/** Who may count the windows of the live figures. */
export const AGGREGATORS = ['nowcast', 'flink'] as const

/** `a, b` from the environment or a flag. */
const list = (text: string) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')

const RolesSchema = z
  .preprocess(
    (value) => (typeof value === 'string' ? list(value) : value),
    z.array(z.enum(ROLES, `must be some of ${ROLES.join(', ')}`)).min(1, 'names at least one role'),
  )
  .transform((roles) => ROLES.filter((role) => roles.includes(role)))

/** How to reach Kafka. */
export const KafkaSchema = z.strictObject({
  /** `host:port` of some brokers. */
  brokers: z.array(z.string().regex(/^\S+:\d{1,5}$/, 'must be host:port')).min(1),
  /** @default 'nowcast.events' */
  topic: z
    .string()
    .regex(/^[\w.-]{1,249}$/, 'must be a topic name')
    .default('nowcast.events'),
  /** Partitions of a new topic; an existing one keeps its own. @default 12 */
  partitions: z.coerce.number().int().min(1).max(1024).default(12),
  /** How long the topic keeps events, ms: a day for repeats, and the rest for an archive that is behind. @default 72 hours */
  retentionMs: z.coerce
    .number()
    .int()
    .min(30 * 3_600_000, 'must be at least 30 hours: 24 for repeats, and some for an archive that is behind')
    .default(72 * 3_600_000),
  /** @default 'none' */
  compression: z.enum(['none', 'gzip', 'zstd']).default('none'),
  /** A member that was not heard of for so long loses its partitions, ms. @default 10000 */
  sessionTimeoutMs: z.coerce.number().int().min(6000).max(300_000).default(10_000),
  /** TLS: `true`, or the options of Node’s tls.connect. @default false */
  ssl: z.union([z.boolean(), z.record(z.string(), z.unknown())]).default(false),
  /** Login. */
  sasl: z
    .strictObject({
      mechanism: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']),
      username: z.string(),
      password: z.string(),
    })
    .optional(),
})

/** What a configuration file, the environment and flags may set. */
export const ConfigSchema = z.strictObject({
  /** @default 4600 */
  port: z.coerce.number().int().min(0).max(65_535).default(4600),
  /** @default '127.0.0.1' */
  host: z.string().min(1).default('127.0.0.1'),
  /** @default './nowcast-data' */
  dataDir: z.string().min(1).default('./nowcast-data'),
  /** What this process does. @default all */
  roles: RolesSchema.default([...ROLES]),
  /** Kafka, by its brokers or with more; the embedded log when unset. */
  kafka: z
    .preprocess((value) => (typeof value === 'string' ? { brokers: list(value) } : value), KafkaSchema)
    .optional(),
  /** `redis://user:password@host:6379`, also of a cluster or of Sentinel; memory when unset. */
  redis: z
    .string()
    .regex(/^rediss?(\+sentinel)?:\/\//, 'must be an address that begins with redis:// or rediss://')
    .optional(),
  /** `http://user:password@host:8123`; the embedded engine when unset. */
  clickhouse: z.url({ protocol: /^https?$/, error: 'must be an http:// or https:// address' }).optional(),
  /** `http://user:password@host:8888` of Druid’s router: history is kept there instead of in ClickHouse. */
  druid: z.url({ protocol: /^https?$/, error: 'must be an http:// or https:// address' }).optional(),
  /** Topic that Druid reads, and name of its datasource; by default that of events with `.unique` instead of `.events`. */
  uniqueTopic: z
    .string()
    .regex(/^[\w.-]{1,249}$/, 'must be a topic name')
    .optional(),
  /** More properties of Kafka’s Java client, with which Druid reads the topic. */
  druidKafkaProperties: z.record(z.string(), z.string()).default({}),
  /** Name of the cluster in ClickHouse’s configuration that the tables are spread over; one server when unset. */
  clickhouseCluster: z
    .string()
    .regex(/^[\w.-]{1,64}$/, 'must be the name of a cluster')
    .optional(),
  /** Proxies whose X-Forwarded-For is believed: how many, or their subnets. @default false */
  trustProxy: z
    .union([
      z.boolean(),
      z.int().min(0).max(16),
      z.array(z.string().refine(isSubnet, 'must be an address or a subnet, like 10.0.0.0/8')),
    ])
    .default(false),
  /** An MMDB file with countries, instead of the bundled one. */
  countryDatabase: z.string().optional(),
  /** Who counts the windows of the live figures: `nowcast` itself, or a job in `flink`. @default 'nowcast' */
  aggregator: z.enum(AGGREGATORS, `must be one of ${AGGREGATORS.join(', ')}`).default('nowcast'),
  /** Topic that the job in Flink writes to; by default that of events with `.windows` instead of `.events`. */
  windowsTopic: z
    .string()
    .regex(/^[\w.-]{1,249}$/, 'must be a topic name')
    .optional(),
  /** Partitions of a new embedded log. @default 4 */
  partitions: z.coerce.number().int().min(1).max(64).default(4),
  /** Offsets in all partitions together that a duplicate is looked for backwards. @default 8000000 */
  duplicateOffsets: z.coerce.number().int().min(1000).default(8_000_000),
  /** Bytes of live windows in memory. @default 1 GiB */
  hotBytes: z.coerce
    .number()
    .int()
    .min(16 * 1024 * 1024)
    .default(1024 ** 3),
  /** Bytes of the embedded log on disk at which ingestion answers 503. @default 64 GiB */
  logBytes: z.coerce
    .number()
    .int()
    .min(16 * 1024 * 1024)
    .default(64 * 1024 ** 3),
  /** How long the embedded log keeps events that are archived, ms. @default 1 hour */
  logRetentionMs: z.coerce
    .number()
    .int()
    .min(15 * 60_000)
    .default(3_600_000),
  /** Whole months beside the running one that events are kept; for ever when unset. */
  rawRetentionMonths: z.coerce.number().int().min(1).max(1200).optional(),
  /** The same for the hours that stay when events go; for ever when unset. */
  rollupRetentionMonths: z.coerce.number().int().min(1).max(1200).optional(),
  /** Requests a second of one key from one address. @default 500 */
  requestsPerSecond: z.coerce.number().int().min(1).default(500),
  /** Values of one dimension of a project kept apart in a day. @default 10000 */
  valuesPerDimension: z.coerce.number().int().min(1).default(10_000),
  /** Cells of a project kept apart in a day. @default 20000 */
  cellsPerProject: z.coerce.number().int().min(1).default(20_000),
  /** A minute counts as closed this long after it ends, ms. @default 5000 */
  closeAfterMs: z.coerce.number().int().min(0).max(600_000).default(5000),
  /** How long a question to the archive may take, ms. @default 30000 */
  queryTimeoutMs: z.coerce.number().int().min(1000).max(600_000).default(30_000),
  /** Memory that one question to the archive may take, bytes. @default 1 GiB */
  queryMemoryBytes: z.coerce
    .number()
    .int()
    .min(16 * 1024 * 1024)
    .default(1024 ** 3),
  /** Questions that read the archive at a time; others wait, projects by turns. @default 4 */
  queriesAtOnce: z.coerce.number().int().min(1).max(256).default(4),
  /** @default 'warn' */
  logLevel: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent']).default('warn'),
  projects: z.array(ProjectSchema).default([]),
})

/** A configuration as one writes it. */
export type ConfigOptions = z.input<typeof ConfigSchema>
/** How to reach Kafka, and what the topic is to be. */
export type KafkaConfig = z.output<typeof KafkaSchema>
export type Config = Omit<z.output<typeof ConfigSchema>, 'projects'> & { projects: Project[] }

/** A configuration that cannot be used; the message names the field. */
export class ConfigError extends Error {
  override name = 'ConfigError'
}

/** Checks a configuration and adds its defaults. @throws ConfigError */
export function toConfig(options: unknown): Config {
  const parsed = ConfigSchema.safeParse(options)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    if (issue?.code === 'unrecognized_keys') {
      const field = [...issue.path, issue.keys[0]].join('.')
      throw new ConfigError(
        `${field} is no field of the configuration; these are: ${Object.keys(ConfigSchema.shape).join(', ')}`,
      )
    }
    throw new ConfigError(`${issue?.path.join('.')}: ${issue?.message}`)
  }
  const { roles, kafka, redis, clickhouse } = parsed.data
  if (parsed.data.aggregator === 'flink' && !kafka) {
    throw new ConfigError('aggregator: flink reads events from Kafka and writes windows to it: kafka is not set')
  }
  requireDruid(parsed.data)
  const archive = parsed.data.druid ? { druid: parsed.data.druid } : { clickhouse }
  const missing = Object.entries({ kafka, redis, ...archive }).flatMap(([name, value]) => (value ? [] : [name]))
  if (roles.length < ROLES.length && missing.length > 0) {
    throw new ConfigError(
      `roles: a process without the roles ${ROLES.filter((role) => !roles.includes(role)).join(', ')} works with others, and they share kafka, redis and ${parsed.data.druid ? 'druid' : 'clickhouse'}: ${missing.join(' and ')} is not set`,
    )
  }
  if (missing.length === 0 && parsed.data.projects.length === 0) {
    throw new ConfigError(
      'projects: processes that share kafka, redis and an archive need the same projects in their configuration',
    )
  }
  requireRetention(parsed.data)
  const projects = parsed.data.projects.map(toProject)
  for (const fields of [['id'], ['writeKey', 'previousWriteKey'], ['secretKey', 'previousSecretKey']] as const) {
    const seen = new Set<string>()
    for (const value of projects.flatMap((project) => fields.map((field) => project[field]))) {
      if (value === undefined) continue
      if (seen.has(value)) throw new ConfigError(`projects: two projects have the same ${fields[0]}`)
      seen.add(value)
    }
  }
  return { ...parsed.data, projects }
}

/** @throws ConfigError when history cannot be in Druid like this */
function requireDruid({ druid, kafka, clickhouse, rawRetentionMonths }: z.output<typeof ConfigSchema>): void {
  if (druid === undefined) return
  if (!kafka) throw new ConfigError('druid: it reads events from Kafka: kafka is not set')
  if (clickhouse) throw new ConfigError('druid: history is kept in one place: set druid or clickhouse, not both')
  if (rawRetentionMonths !== undefined) {
    throw new ConfigError('rawRetentionMonths: Druid deletes what is old by its own retention rules: set one there')
  }
}

const DAY_MS = 24 * 3_600_000
/** Of the shortest month. */
const MONTH_DAYS = 28

/** @throws ConfigError when a retention is shorter than what it must outlive */
function requireRetention(config: z.output<typeof ConfigSchema>): void {
  const { rawRetentionMonths: raw, rollupRetentionMonths: rollups, kafka, logRetentionMs } = config
  if (rollups !== undefined && raw === undefined) {
    throw new ConfigError(
      'rollupRetentionMonths: hours stay when events go, and these are kept for ever: set rawRetentionMonths too',
    )
  }
  if (raw === undefined) return
  if (rollups !== undefined && rollups < raw) {
    throw new ConfigError(`rollupRetentionMonths: must be at least rawRetentionMonths, which is ${raw}`)
  }
  const [name, logMs] = kafka ? ['kafka.retentionMs', kafka.retentionMs] : ['logRetentionMs', logRetentionMs]
  if (raw * MONTH_DAYS * DAY_MS < logMs + DAY_MS) {
    const days = Math.ceil(logMs / DAY_MS)
    throw new ConfigError(
      `rawRetentionMonths: the log keeps events for ${days} days (${name}), so they would outlive it: keep at least ${Math.ceil((days + 1) / MONTH_DAYS)} months, or shorten ${name}`,
    )
  }
}

/** `dataDir` → `NOWCAST_DATA_DIR`. */
function environmentName(field: string): string {
  return `NOWCAST_${field.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`
}

/** What the environment sets. `NOWCAST_TRUST_PROXY` is a number or subnets with commas. */
export function configFromEnvironment(environment: Record<string, string | undefined>): Record<string, unknown> {
  const set: Record<string, unknown> = {}
  for (const field of Object.keys(ConfigSchema.shape)) {
    const value = environment[environmentName(field)]
    if (value === undefined || field === 'projects') continue
    set[field] = field === 'trustProxy' ? parseTrustProxy(value) : value
  }
  return set
}

/** `true`, `2` or `10.0.0.0/8,::1`. */
export function parseTrustProxy(value: string): boolean | number | string[] {
  if (value === 'true' || value === 'false') return value === 'true'
  return /^\d+$/.test(value) ? Number(value) : value.split(',').map((part) => part.trim())
}
