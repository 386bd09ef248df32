import { type IngestAnswer, LIMITS, type RejectedEvent } from '@nowcast/protocol'
import { NowcastError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { EventLog } from '../ports/event-log.ts'
import type { IngestMetrics } from '../telemetry.ts'
import { type CellBoundsOptions, createCellBounds } from './cell-bounds.ts'
import type { CountryOfIp } from './enrich/country-of-ip.ts'
import { createDeviceOfAgent } from './enrich/device-of-agent.ts'
import { type Connection, createOriginFinder, type Origin } from './enrich/origin-of-event.ts'
import {
  contextShapeProblem,
  isShapedContext,
  isShapedEvent,
  type ShapedContext,
  shapeProblem,
} from './event-schema.ts'
import { type BatchFacts, createEventStamper } from './event-stamper.ts'
import { createGroupAppender } from './group-appender.ts'
import type { KeyOwner } from './project-keys.ts'

export interface IngestDependencies {
  log: EventLog
  clock: Clock
  countryOfIp: CountryOfIp
  metrics: IngestMetrics
}

export interface IngestOptions extends CellBoundsOptions {
  /** Bytes that may wait for the log. @default 32 MiB */
  maxWaitingBytes?: number
}

export interface BatchRequest {
  owner: KeyOwner
  /** Parsed JSON, of any shape. */
  body: unknown
  /** Whether its text had no backslash, so that no string in it needs one. @default false */
  isPlain?: boolean
  connection: Connection
}

/** Turns batches into durable events. */
export interface Ingest {
  /**
   * Resolves when the accepted events are durable.
   * @throws NowcastError for what is wrong with the batch as a whole, or when the log cannot take it.
   */
  accept(request: BatchRequest): Promise<IngestAnswer>
  /** Makes every further batch a 503, and resolves when the last one is durable. */
  stop(): Promise<void>
}

/** The stage from a batch to the log. */
export function createIngest(dependencies: IngestDependencies, options: IngestOptions = {}): Ingest {
  const { log, clock, countryOfIp, metrics } = dependencies
  const appender = createGroupAppender(log, options)
  const stamper = createEventStamper(createCellBounds(clock, options), log)
  const origins = createOriginFinder(countryOfIp, createDeviceOfAgent())
  let stopping = false

  /** Not async: while it waited for the log, the parsed events would stay in memory. */
  function take({ owner, body, isPlain = false, connection }: BatchRequest): Promise<IngestAnswer> {
    if (stopping)
      throw new NowcastError('stopping', 'the server is stopping: send the same batch again', {
        retryable: true,
        retryAfterMs: 1000,
      })
    const { events, sentAt, context } = readEnvelope(body)
    if (events.length === 0) return Promise.resolve({ accepted: 0, rejected: [] })
    const group = appender.open()
    const receivedAt = Math.floor(clock.now())
    const facts: BatchFacts = { project: owner.project, kind: owner.kind, receivedAt, sentAt, isPlain }
    const batchOrigin = origins.of(context, owner.kind, connection)
    const rejected: RejectedEvent[] = []
    const reject = (index: number, event: unknown, problem: Pick<RejectedEvent, 'code' | 'message'>) => {
      const id = (event as { id?: unknown } | null)?.id
      rejected.push(typeof id === 'string' ? { index, id: id.slice(0, 64), ...problem } : { index, ...problem })
      metrics.rejected(owner.project.id, problem.code)
    }

    for (let i = 0; i < events.length; i++) {
      const event = events[i]
      if (!isShapedEvent(event)) {
        reject(i, event, shapeProblem(event))
        continue
      }
      const origin = event.context ? originOf(event.context, context, owner, connection) : batchOrigin
      if (typeof origin === 'string') {
        reject(i, event, { code: 'invalid_context', message: origin })
        continue
      }
      const problem = stamper.stamp(event, origin, facts, group)
      if (problem) reject(i, event, problem)
    }
    const answer = { accepted: events.length - rejected.length, rejected }
    if (answer.accepted === 0) return Promise.resolve(answer)
    appender.schedule()
    const { project } = owner
    return group.durable.then(() => {
      metrics.accepted(project.id, answer.accepted)
      return answer
    })
  }

  function originOf(
    own: ShapedContext,
    batch: ShapedContext | undefined,
    owner: KeyOwner,
    connection: Connection,
  ): Origin | string {
    return origins.of(batch ? { ...batch, ...own } : own, owner.kind, connection)
  }

  return {
    accept: async (request) => take(request),
    async stop() {
      stopping = true
      await appender.drain()
    },
  }
}

interface Envelope {
  events: unknown[]
  sentAt: number | undefined
  context: ShapedContext | undefined
}

function readEnvelope(body: unknown): Envelope {
  if (typeof body !== 'object' || body === null || !Array.isArray((body as { events?: unknown }).events)) {
    throw new NowcastError('invalid_body', 'the body must be a JSON object with an array "events"', { field: 'events' })
  }
  const { events, sentAt, context } = body as { events: unknown[]; sentAt?: unknown; context?: unknown }
  if (events.length > LIMITS.batchEvents) {
    throw new NowcastError(
      'too_many_events',
      `a batch holds at most ${LIMITS.batchEvents} events, this one has ${events.length}: split it`,
      { field: 'events' },
    )
  }
  if (
    sentAt !== undefined &&
    sentAt !== null &&
    !(typeof sentAt === 'number' && Number.isFinite(sentAt) && sentAt > 0)
  ) {
    throw new NowcastError('invalid_body', 'sentAt must be epoch milliseconds', { field: 'sentAt' })
  }
  if (context !== undefined && context !== null && !isShapedContext(context)) {
    throw new NowcastError('invalid_body', contextShapeProblem(context), { field: 'context' })
  }
  return {
    events,
    sentAt: typeof sentAt === 'number' ? sentAt : undefined,
    context: (context as ShapedContext | null) ?? undefined,
  }
}

export { type CountryOfIp, createCountryOfIp } from './enrich/country-of-ip.ts'
export type { Connection } from './enrich/origin-of-event.ts'
export { createProjectKeys, type KeyOwner } from './project-keys.ts'
