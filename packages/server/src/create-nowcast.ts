import { randomBytes } from 'node:crypto'
import type { Server as HttpServer } from 'node:http'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LIVE_PATH } from '@nowcast/protocol'
import type { Hono } from 'hono'
import { type Logger, pino } from 'pino'
import { createClickHouseEventStore } from './adapters/clickhouse/clickhouse-event-store.ts'
import { createLmdbEventLog, type LmdbEventLog } from './adapters/lmdb/lmdb-event-log.ts'
import { createMemoryHotStore } from './adapters/memory/memory-hot-store.ts'
import { createSoleMember } from './adapters/memory/sole-member.ts'
import { createAggregator } from './aggregate/aggregator.ts'
import { createApp, type Readiness } from './api/app.ts'
import { createConnectionOf } from './api/connection-of.ts'
import { createLiveSockets } from './api/live-socket.ts'
import { createRateLimit } from './api/rate-limit.ts'
import { createBodyReader } from './api/read-body.ts'
import { createTokenVerifier } from './api/read-token.ts'
import { createArchiver } from './archive/archiver.ts'
import { createLogTrimmer } from './archive/log-trimmer.ts'
import { type AuditReport, audit } from './audit/audit.ts'
import { createColdStart } from './cold-start.ts'
import { type Config, ConfigError, type ConfigOptions, toConfig } from './config.ts'
import { type DataDirLock, lockDataDir } from './data-dir/lock-data-dir.ts'
import { storedProjects } from './data-dir/stored-projects.ts'
import { NowcastError } from './errors.ts'
import { type CountryOfIp, createCountryOfIp, createIngest, createProjectKeys } from './ingest/ingest.ts'
import { createLiveHub } from './live/live.ts'
import type { Project } from './project.ts'
import { createQuery } from './query/query.ts'
import { createTelemetry } from './telemetry.ts'

/** W of the duplicate rule. */
const DUPLICATE_MS = 24 * 3_600_000
/** What a data directory without projects gets. */
const FIRST_PROJECT = { id: 'default', name: 'Default' }
/** Built beside this module. */
const ENGINE_ENTRY = fileURLToPath(new URL('./engine.js', import.meta.url))

/** A server inside this process. */
export interface Nowcast {
  /** All HTTP routes; mount it anywhere in a hono app. */
  app: Hono
  projects: readonly Project[]
  /** Serves the live socket on an HTTP server. @param options.path `/live` by default */
  attach(server: HttpServer, options?: { path?: string }): void
  /** Resolves when events are accepted and the live figures are complete. */
  start(): Promise<void>
  /** Answers 503 to new events, then drains and stops every part. */
  stop(): Promise<void>
  /** Compares log, live figures and history. */
  audit(options?: { from?: number; to?: number }): Promise<AuditReport>
  /** Tells the commands that use the data directory where this server answers. */
  announce(url: string): Promise<void>
}

export type NowcastOptions = ConfigOptions

const NOT_STARTED = new NowcastError('stopping', 'the server is not started yet: send the same request again', {
  retryable: true,
  retryAfterMs: 1000,
})

/**
 * Plugs the parts together: takes the data directory and opens its log; `start` does the rest.
 * @example
 * const nowcast = await createNowcast({ dataDir: './nowcast-data' })
 * app.route('/analytics', nowcast.app)
 * nowcast.attach(httpServer, { path: '/analytics/live' })
 * await nowcast.start()
 * @throws ConfigError that names the field, DataDirError that says what to do
 */
export async function createNowcast(options: NowcastOptions = {}): Promise<Nowcast> {
  const config = toConfig(options)
  const dataDir = resolve(config.dataDir)
  const logger = pino({ name: 'nowcast', level: config.logLevel }, pino.destination(2))
  const adminKey = randomBytes(24).toString('base64url')
  const lock = await lockDataDir(dataDir, adminKey)
  const log = createLmdbEventLog({
    path: join(dataDir, 'log'),
    partitions: config.partitions,
    maxBytes: config.logBytes,
  })
  try {
    const configured = config.projects.length > 0
    const projects = configured ? config.projects : await storedProjects(dataDir, FIRST_PROJECT)
    await log.start()
    return compose({ config, dataDir, logger, adminKey, lock, log, projects })
  } catch (error) {
    await lock.release()
    throw error
  }
}

interface Opened {
  config: Config
  dataDir: string
  logger: Logger
  adminKey: string
  lock: DataDirLock
  log: LmdbEventLog
  projects: readonly Project[]
}

function compose({ config, dataDir, logger, adminKey, lock, log, projects }: Opened): Nowcast {
  const clock = { now: () => Date.now() }
  const telemetry = createTelemetry()
  const duplicates = {
    duplicateOffsets: Math.ceil(config.duplicateOffsets / log.partitions),
    duplicateMs: DUPLICATE_MS,
  }
  const hotStore = createMemoryHotStore(clock, { partitions: log.partitions, maxBytes: config.hotBytes })
  const eventStore = createClickHouseEventStore(
    config.clickhouse
      ? { url: config.clickhouse }
      : {
          embedded: {
            dataDir: join(dataDir, 'clickhouse'),
            entry: ENGINE_ENTRY,
            onExit: (exit) => logger.error(exit, 'the archive’s engine ended and is started again'),
          },
        },
  )
  const consumer = { log, clock, telemetry, logger }
  const coldStart = createColdStart(log, eventStore, clock.now)
  const aggregator = createAggregator({ ...consumer, group: createSoleMember(log), hotStore, coldStart }, duplicates)
  const archiver = createArchiver({ ...consumer, group: createSoleMember(log), eventStore }, duplicates)
  const resumable = () => archiver.positions().map((position) => position - archiver.insertOffsets)
  const trimmer = createLogTrimmer(
    { log, clock, logger, aggregatedTo: aggregator.positions, archivedTo: resumable },
    { retentionMs: config.logRetentionMs, maxBytes: config.logBytes, ...duplicates },
  )
  const countryOfIp = countryFinder(config.countryDatabase)
  const ingest = createIngest({ log, clock, countryOfIp, metrics: telemetry.ingest }, config)
  const query = createQuery({ hotStore, eventStore, clock }, config)
  const verify = createTokenVerifier(projects)
  const sockets = createLiveSockets(() => ({ hub, query, verify, telemetry, logger }))
  const hub = createLiveHub({ clock, telemetry, logger, broadcast: sockets.broadcast })
  let state: 'new' | 'starting' | 'started' | 'stopped' = 'new'

  const runAudit = (options: { from?: number; to?: number } = {}) =>
    audit({ log, hotStore, eventStore, archivedTo: archiver.positions }, { ...duplicates, ...options })
  const app = createApp({
    ingest,
    query,
    verify,
    ownerOf: createProjectKeys(projects),
    bodies: createBodyReader(),
    rateLimit: createRateLimit(config),
    connectionOf: createConnectionOf(config.trustProxy),
    clock,
    telemetry,
    logger,
    readiness,
    admin: { key: adminKey, audit: runAudit },
    page: {
      pageDir: fileURLToPath(new URL('./page', import.meta.url)),
      scriptFile: fileURLToPath(new URL('./nowcast.js', import.meta.url)),
    },
    requireStarted() {
      if (state !== 'started') throw NOT_STARTED
    },
  })

  async function readiness(): Promise<Readiness> {
    const archive = await eventStore.ping().then(
      () => archiver.problem,
      (error: Error) => error.message,
    )
    return {
      server: state === 'started' ? { ready: true } : { ready: false, message: `the server is ${state}` },
      archive: archive === undefined ? { ready: true } : { ready: false, message: archive },
    }
  }

  return {
    app,
    projects,
    attach: (server, { path = LIVE_PATH } = {}) => sockets.attach(server, path),
    announce: (url) => lock.announce(url),
    audit: runAudit,
    async start() {
      state = 'starting'
      await Promise.all([hotStore.start(), eventStore.start()])
      await archiver.start()
      await aggregator.start()
      await aggregator.caughtUp
      hub.start()
      trimmer.start()
      state = 'started'
    },
    async stop() {
      if (state === 'stopped') return
      state = 'stopped'
      trimmer.stop()
      await ingest.stop()
      await sockets.stop()
      await hub.stop()
      await aggregator.stop()
      await archiver.stop()
      await hotStore.stop()
      await eventStore.stop()
      await log.stop()
      await lock.release()
    },
  }
}

function countryFinder(database: string | undefined): CountryOfIp {
  try {
    return createCountryOfIp(database)
  } catch (error) {
    throw new ConfigError(`countryDatabase: ${database} is no MMDB file that can be read: ${(error as Error).message}`)
  }
}
