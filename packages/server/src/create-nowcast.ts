import { randomBytes } from 'node:crypto'
import type { Server as HttpServer } from 'node:http'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LIMITS, LIVE_PATH } from '@nowcast/protocol'
import type { Hono } from 'hono'
import { type Logger, pino } from 'pino'
import type { DeleteUserRequest, ExportedEvents, ExportRequest } from './api/admin-routes.ts'
import { createApp } from './api/app.ts'
import { createConnectionOf } from './api/connection-of.ts'
import { createLiveSockets } from './api/live-socket.ts'
import { createRateLimit } from './api/rate-limit.ts'
import { createBodyReader } from './api/read-body.ts'
import { createTokenVerifier } from './api/read-token.ts'
import { forgetUser } from './archive/forget-user.ts'
import { type AuditReport, audit } from './audit/audit.ts'
import { type Config, ConfigError, type ConfigOptions, type Role, toConfig } from './config.ts'
import { type Consumers, createConsumers } from './consumers.ts'
import { type DataDirLock, lockDataDir } from './data-dir/lock-data-dir.ts'
import { storedProjects } from './data-dir/stored-projects.ts'
import { NowcastError } from './errors.ts'
import {
  type CountryOfIp,
  createCountryOfIp,
  createIngest,
  createKeptMonths,
  createProjectKeys,
  createRejectionKeeper,
  type RejectionKeeper,
} from './ingest/ingest.ts'
import { createRetentionGuard } from './ingest/retention-guard.ts'
import { createLiveHub } from './live/live.ts'
import { type Adapters, type OpenAdaptersContext, openAdapters } from './open-adapters.ts'
import type { Clock } from './ports/clock.ts'
import { EXPORT_FORMATS, type UserDeletion } from './ports/event-store.ts'
import type { Project } from './project.ts'
import { createQuery } from './query/query.ts'
import { readiness } from './readiness.ts'
import { createTelemetry, type Telemetry } from './telemetry.ts'

/** What a data directory without projects gets. */
const FIRST_PROJECT = { id: 'default', name: 'Default' }
/** Nobody's: no key and no token reads it. */
const NO_PROJECT = ''

/** A server inside this process. */
export interface Nowcast {
  /** All HTTP routes; mount it anywhere in a hono app. */
  app: Hono
  projects: readonly Project[]
  /** Serves the live socket on an HTTP server. @param options.path `/live` by default */
  attach(server: HttpServer, options?: { path?: string }): void
  /** Resolves when events are accepted and every stored one is in the answers. */
  start(): Promise<void>
  /** Answers 503 to new events, then drains and stops every part. */
  stop(): Promise<void>
  /** Compares log, live figures and history. */
  audit(options?: { from?: number; to?: number }): Promise<AuditReport>
  /** Makes a user's stored events name nobody; counts stay. */
  deleteUser(
    request: DeleteUserRequest,
    onProgress?: (progress: { step: 'archiving' } | { step: 'rewriting'; partsLeft: number }) => void,
  ): Promise<UserDeletion>
  /** Stored events, oldest first, as bytes of a file, read as they are asked for. */
  exportEvents(request: ExportRequest, signal?: AbortSignal): Promise<ExportedEvents>
  /** Tells the commands that use the data directory where this server answers. */
  announce(url: string): Promise<void>
}

/** A configuration as its file has it: every field has a default, and is described in the guide "Configuration". */
export type NowcastOptions = ConfigOptions

const NOT_STARTED = new NowcastError('stopping', 'the server is not started yet: send the same request again', {
  retryable: true,
  retryAfterMs: 1000,
})

/**
 * Plugs the parts together: takes the data directory and opens what is in it; `start` does the rest.
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
  const logger = pino(
    // Without it a log line has an error's code but not its words.
    { name: 'nowcast', level: config.logLevel, serializers: { error: pino.stdSerializers.err } },
    pino.destination(2),
  )
  const adminKey = randomBytes(24).toString('base64url')
  const lock = await lockDataDir(dataDir, adminKey)
  const clock = { now: () => Date.now() }
  const telemetry = createTelemetry()
  try {
    const configured = config.projects.length > 0
    const projects = configured ? config.projects : await storedProjects(dataDir, FIRST_PROJECT)
    const rejections = createRejectionKeeper({
      ...{ clock, logger, unkept: telemetry.ingest.unkept },
      insert: (refused) => adapters.eventStore.insertRejected(refused),
    })
    const keepForeign: OpenAdaptersContext['keepForeign'] = ({ partition, offset, reason, sample }) => {
      const message = `partition ${partition}, offset ${offset}: ${reason}`
      const kept = { project: NO_PROJECT, receivedAt: clock.now(), code: 'foreign_record', message, index: 0 }
      rejections.keep(kept, sample)
    }
    // Of the processes that read the log, those that archive keep what is not ours: once is enough.
    const keeps = config.roles.includes('archive') ? { keepForeign } : {}
    const adapters = await openAdapters(config, { dataDir, clock, telemetry, logger, ...keeps })
    return compose({ config, logger, clock, telemetry, adminKey, lock, adapters, projects, rejections })
  } catch (error) {
    await lock.release()
    throw error
  }
}

interface Opened {
  config: Config
  logger: Logger
  clock: Clock
  telemetry: Telemetry
  adminKey: string
  lock: DataDirLock
  adapters: Adapters
  projects: readonly Project[]
  rejections: RejectionKeeper
}

function compose(opened: Opened): Nowcast {
  const { config, logger, clock, telemetry, adminKey, lock, adapters, projects, rejections } = opened
  const { log, hotStore, eventStore } = adapters
  const hasRole = (role: Role) => config.roles.includes(role)
  const retention = createRetentionGuard(
    { log, clock, logger, archivedTo: async () => (await adapters.sharedArchivedTo?.()) ?? [] },
    adapters.archiveLagMs,
  )
  const countryOfIp = countryFinder(config.countryDatabase)
  const keptMonths = createKeptMonths({ eventStore, logger }, config.rawRetentionMonths)
  const ingest = createIngest(
    {
      ...{ log, clock, countryOfIp, metrics: telemetry.ingest, rejections },
      refusal: retention.refusal,
      keptFrom: keptMonths.from,
    },
    config,
  )
  const query = createQuery({ hotStore, eventStore, clock, telemetry }, config)
  const verify = createTokenVerifier(projects)
  const sockets = createLiveSockets(() => ({ hub, query, verify, telemetry, logger, requireServing }))
  const hub = createLiveHub({
    clock,
    telemetry,
    logger,
    onTouched: adapters.bus.onTouched,
    broadcast: sockets.broadcast,
  })
  let consumers: Consumers | undefined
  let state: 'new' | 'starting' | 'started' | 'stopped' = 'new'

  const runningConsumers = (): Consumers => {
    if (state !== 'started' || !consumers) throw NOT_STARTED
    return consumers
  }
  const runAudit = async (options: { from?: number; to?: number } = {}) => {
    const { archivedTo, filled, duplicates } = runningConsumers()
    return audit({ log, hotStore, eventStore, archivedTo, filled }, { ...duplicates, ...options })
  }
  const projectOf = (id: string) => {
    const project = projects.find((candidate) => candidate.id === id)
    if (project) return project
    const names = projects.map((candidate) => candidate.id).join(', ')
    throw new NowcastError('invalid_query', `there is no project ${id}; there are: ${names}`, { field: 'project' })
  }
  const deleteUser: Nowcast['deleteUser'] = async ({ project, id }, onProgress) => {
    const { archivedTo } = runningConsumers()
    return forgetUser({ log, eventStore, archivedTo }, { project: projectOf(project).id, id, onProgress })
  }
  const exportEvents: Nowcast['exportEvents'] = async ({ project, format, from = 0, to, filters }, signal) => {
    if (!(EXPORT_FORMATS as readonly string[]).includes(format)) {
      throw new NowcastError('invalid_query', `format must be one of ${EXPORT_FORMATS.join(', ')}`, { field: 'format' })
    }
    const asked = { kind: 'recent', range: { from, to: to ?? clock.now() + LIMITS.futureMs }, filters, bots: true }
    const selection = query.selection(asked, { project: projectOf(project), filters: {}, metrics: undefined })
    const old = (await eventStore.rolledUp()).filter((month) => month.from < selection.to && month.to > selection.from)
    const exported = await eventStore.exportEvents(selection, format, signal)
    return { ...exported, ...(old.length > 0 && { since: Math.max(...old.map((month) => month.to)) }) }
  }
  const bodies = createBodyReader()
  const app = createApp({
    ingest,
    query,
    verify,
    ownerOf: createProjectKeys(projects),
    bodies,
    rateLimit: createRateLimit(config),
    connectionOf: createConnectionOf(config.trustProxy),
    clock,
    telemetry,
    logger,
    readiness: () => readiness({ state, roles: config.roles, adapters, consumers, refusal: ingest.problem }),
    rejected: eventStore.rejected,
    admin: { key: adminKey, bodies, audit: runAudit, deleteUser, exportEvents },
    page: {
      pageDir: fileURLToPath(new URL('./page', import.meta.url)),
      scriptFile: fileURLToPath(new URL('./nowcast.js', import.meta.url)),
    },
    requireServing,
  })

  function requireServing(role?: Role): void {
    if (state !== 'started') throw NOT_STARTED
    if (role !== undefined && !hasRole(role)) {
      throw new NowcastError(
        'wrong_role',
        `this process has the roles ${config.roles.join(', ')}: send this to one with the role ${role}`,
        { retryable: true, retryAfterMs: 1000 },
      )
    }
  }

  return {
    app,
    projects,
    attach: (server, { path = LIVE_PATH } = {}) => sockets.attach(server, path),
    announce: (url) => lock.announce(url),
    audit: runAudit,
    deleteUser,
    exportEvents,
    async start() {
      state = 'starting'
      const reached = adapters.start(() => state === 'stopped')
      // The embedded log is open already: the engine of its archive takes a while to start.
      if (!adapters.trimmableLog) await reached
      consumers = createConsumers({ config, adapters, clock, telemetry, logger })
      await Promise.all([reached, adapters.trimmableLog ? consumers.prepare() : undefined])
      if ((state as string) === 'stopped') return
      await consumers.start()
      if ((state as string) === 'stopped') return
      retention.start()
      keptMonths.start()
      hub.start()
      rejections.start()
      if (state === 'starting') state = 'started'
    },
    async stop() {
      if (state === 'stopped') return
      state = 'stopped'
      retention.stop()
      keptMonths.stop()
      await ingest.stop()
      await rejections.stop()
      await sockets.stop()
      await hub.stop()
      await consumers?.stop()
      await adapters.stop()
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
