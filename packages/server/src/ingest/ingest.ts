import type { IngestAnswer, RejectedEvent } from '@nowcast/protocol'
import { NowcastError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { EventLog } from '../ports/event-log.ts'
import type { IngestMetrics } from '../telemetry.ts'
import { type CellBoundsOptions, createCellBounds } from './cell-bounds.ts'
import type { CountryOfIp } from './enrich/country-of-ip.ts'
import { createDeviceOfAgent } from './enrich/device-of-agent.ts'
import { type Connection, createOriginFinder, type Origin, type Sender } from './enrich/origin-of-event.ts'
import type { ShapedContext } from './event-schema.ts'
import { type BatchFacts, createEventStamper } from './event-stamper.ts'
import { type BatchFormat, RefusedItem } from './formats/batch-format.ts'
import { createGroupAppender } from './group-appender.ts'
import type { KeyOwner } from './project-keys.ts'
import type { RejectionKeeper } from './rejection-keeper.ts'

export interface IngestDependencies {
  log: EventLog
  clock: Clock
  countryOfIp: CountryOfIp
  metrics: IngestMetrics
  /** Keeps refused events for showing; none are kept when unset. */
  rejections?: Pick<RejectionKeeper, 'keep'>
  /** Why events cannot be taken at present; undefined when they can. */
  refusal?(): NowcastError | undefined
  /** Events before this time are refused, epoch ms; none when unset. */
  keptFrom?(now: number): number
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
  format: BatchFormat
}

/** Turns batches into durable events. */
export interface Ingest {
  /**
   * Resolves when the accepted events are durable.
   * @throws NowcastError for what is wrong with the batch as a whole, or when the log cannot take it.
   */
  accept(request: BatchRequest): Promise<IngestAnswer>
  /** Why events could not be taken a moment ago; undefined when all is well. */
  readonly problem: string | undefined
  /** Makes every further batch a 503, and resolves when the last one is durable. */
  stop(): Promise<void>
}

/** The stage from a batch to the log. */
export function createIngest(dependencies: IngestDependencies, options: IngestOptions = {}): Ingest {
  const { log, clock, countryOfIp, metrics, rejections, refusal, keptFrom = () => 0 } = dependencies
  const appender = createGroupAppender(log, options)
  const stamper = createEventStamper(createCellBounds(clock, options), log)
  const origins = createOriginFinder(countryOfIp, createDeviceOfAgent())
  let stopping = false

  /** Not async: while it waited for the log, the parsed events would stay in memory. */
  function take({ owner, body, isPlain = false, connection, format }: BatchRequest): Promise<IngestAnswer> {
    if (stopping)
      throw new NowcastError('stopping', 'the server is stopping: send the same batch again', {
        retryable: true,
        retryAfterMs: 1000,
      })
    const refused = refusal?.()
    if (refused) throw refused
    const { items, sentAt, context } = format.open(body)
    if (items.length === 0) return Promise.resolve({ accepted: 0, rejected: [] })
    const group = appender.open()
    const receivedAt = Math.floor(clock.now())
    const { project, kind } = owner
    const rowHead = `{"project":"${project.id}","received_at":${receivedAt},"ts":`
    const facts: BatchFacts = { project, kind, receivedAt, sentAt, keptFrom: keptFrom(receivedAt), isPlain, rowHead }
    const sender: Sender = { kind, connection, isRelay: format.isRelay }
    const batchOrigin = origins.of(context, sender)
    const rejected: RejectedEvent[] = []
    let events = 0
    const reject = (index: number, problem: Pick<RejectedEvent, 'code' | 'message'>) => {
      const { code, message } = problem
      const id = (items[index] as Record<string, unknown> | null)?.[format.idField]
      rejected.push(typeof id === 'string' ? { index, id: id.slice(0, 64), code, message } : { index, code, message })
      metrics.rejected(project.id, code)
      rejections?.keep({ project: project.id, receivedAt, code, message, index }, items[index])
    }

    for (let i = 0; i < items.length; i++) {
      const event = format.read(items[i])
      if (event === undefined) continue
      if (event instanceof RefusedItem) {
        reject(i, event)
        continue
      }
      const origin = event.context ? originOf(event.context, context, sender) : batchOrigin
      if (typeof origin === 'string') {
        reject(i, { code: 'invalid_context', message: origin })
        continue
      }
      const problem = stamper.stamp(event, origin, facts, group)
      if (problem) reject(i, problem)
      else events++
    }
    const answer = { accepted: items.length - rejected.length, rejected }
    if (events === 0) return Promise.resolve(answer)
    appender.schedule()
    return group.durable.then(() => {
      metrics.accepted(project.id, events)
      return answer
    })
  }

  function originOf(own: ShapedContext, batch: ShapedContext | undefined, sender: Sender): Origin | string {
    return origins.of(batch ? { ...batch, ...own } : own, sender)
  }

  return {
    accept: async (request) => take(request),
    get problem() {
      return refusal?.()?.message ?? appender.problem
    },
    async stop() {
      stopping = true
      await appender.drain()
    },
  }
}

export { hintsOfHeaders } from './enrich/client-hints.ts'
export { type CountryOfIp, createCountryOfIp } from './enrich/country-of-ip.ts'
export type { Connection } from './enrich/origin-of-event.ts'
export { EVENT_BATCH_SCHEMA } from './event-schema.ts'
export type { BatchFormat } from './formats/batch-format.ts'
export { nativeFormat } from './formats/native.ts'
export { createSegmentFormat, SEGMENT_TYPES, type SegmentType } from './formats/segment.ts'
export { createKeptMonths } from './kept-months.ts'
export { createProjectKeys, type KeyOwner } from './project-keys.ts'
export { createRejectionKeeper, type RejectionKeeper } from './rejection-keeper.ts'
