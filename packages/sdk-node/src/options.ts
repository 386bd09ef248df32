import type { EventInput, RejectedEvent } from '@nowcast/protocol'
import { LIMITS } from '@nowcast/protocol'
import type { DeliveryError } from '@nowcast/sdk-core'

/** What happens to events that do not fit: the oldest waiting one makes room, or the new one is refused. */
export type QueuePolicy = 'drop-oldest' | 'reject'

/** A queue on disk, for events that must outlive the process. */
export interface SpoolOptions {
  /** A folder that is there after a restart; any number of processes may share it. */
  folder: string
  /** Bytes of its files at most, those of this client. @default 268435456 */
  maxBytes?: number
  /**
   * How often the operating system is made to write to the disk what it was given, which it otherwise does in its own
   * time: what a power cut may cost. The end of the process, also by `kill -9`, costs nothing. 0: after every event,
   * which is slow; Infinity: never. @default 1000
   */
  syncMs?: number
}

/** How a client is set up; `key` and `url` are needed. */
export interface ClientOptions {
  /** The project's secret key, or its write key. */
  key: string
  /** The server's address, with the path it is mounted at if there is one. */
  url: string
  /** How long the first event of a batch waits for others. @default 50 */
  batchMs?: number
  /** So many events are sent at once, without waiting for `batchMs`. @default 100 */
  batchEvents?: number
  /** Events in one request at most, 1–1000: what gathers while another request is under way goes together. @default 1000 */
  requestEvents?: number
  /** Bytes of one request's events at most, before gzip. @default 500000 */
  batchBytes?: number
  /** Bodies from this size on are sent as gzip. @default 16384 */
  gzipMinBytes?: number
  /** Events not yet answered that are kept at most. @default 50000 */
  queueEvents?: number
  /** Bytes of events not yet answered that are kept at most. @default 67108864 */
  queueBytes?: number
  /** What happens to events that do not fit: the oldest waiting one makes room, or the new one is refused. @default 'drop-oldest' */
  queuePolicy?: QueuePolicy
  /** Keep the queue in files instead of memory. @default none */
  spool?: SpoolOptions
  /** Upper bound of the first wait before a batch is sent again; doubles with each attempt. @default 500 */
  retryMinMs?: number
  /** Upper bound of every such wait. @default 30000 */
  retryMaxMs?: number
  /** How long to wait for an answer. @default 10000 */
  requestTimeoutMs?: number
  /** How long `close()`, and the end of the process, waits for what is queued. @default 10000 */
  closeTimeoutMs?: number
  /** The client closes, as by `close()`, when this aborts. @default none */
  signal?: AbortSignal
  /** Hears of every failure: of attempts that will be repeated, and of events that are lost. @default none */
  onError?: (error: DeliveryError) => void
  /** Hears of every event that the server refused, and why. @default none */
  onRejected?: (rejection: RejectedEvent, event: EventInput) => void
}

const DEFAULTS = {
  batchMs: 50,
  batchEvents: 100,
  requestEvents: LIMITS.batchEvents,
  batchBytes: 500_000,
  gzipMinBytes: 16_384,
  queueEvents: 50_000,
  queueBytes: 64 * 1024 * 1024,
  retryMinMs: 500,
  retryMaxMs: 30_000,
  requestTimeoutMs: 10_000,
  closeTimeoutMs: 10_000,
}

const LARGEST = { requestEvents: LIMITS.batchEvents, batchBytes: LIMITS.wireBytes - 1024 } as Record<string, number>

/** Smaller files would be made and deleted all the time. */
const LEAST_SPOOL_BYTES = 1024 * 1024

export type ResolvedOptions = ClientOptions & Required<Pick<ClientOptions, keyof typeof DEFAULTS>>

/** Fills in defaults, and throws a `TypeError` that names the field that is wrong. */
export function resolveOptions(options: ClientOptions): ResolvedOptions {
  const resolved: ResolvedOptions = { ...DEFAULTS, ...withoutUndefined(options) }
  if (typeof resolved.key !== 'string' || !resolved.key) throw new TypeError('key must be a write key or a secret key')
  if (!/^https?:$/.test(protocolOf(resolved.url))) throw new TypeError('url must be an http or https address')
  for (const field of Object.keys(DEFAULTS) as (keyof typeof DEFAULTS)[]) {
    const value = resolved[field]
    const least = field.endsWith('Ms') || field === 'gzipMinBytes' ? 0 : 1
    const most = LARGEST[field] ?? (field === 'gzipMinBytes' ? Infinity : 2 ** 31 - 1)
    if (!(value >= least && value <= most)) throw new TypeError(`${field} must be a number from ${least} to ${most}`)
  }
  if (!['drop-oldest', 'reject', undefined].includes(resolved.queuePolicy))
    throw new TypeError("queuePolicy must be 'drop-oldest' or 'reject'")
  if (resolved.spool) checkSpool(resolved.spool)
  return resolved
}

function checkSpool({ folder, maxBytes = LEAST_SPOOL_BYTES, syncMs = 0 }: SpoolOptions) {
  if (typeof folder !== 'string' || !folder) throw new TypeError('spool.folder must be a path')
  if (!(maxBytes >= LEAST_SPOOL_BYTES)) throw new TypeError(`spool.maxBytes must be at least ${LEAST_SPOOL_BYTES}`)
  if (!(syncMs >= 0)) throw new TypeError('spool.syncMs must be a number from 0 to Infinity')
}

const withoutUndefined = (options: ClientOptions) =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as unknown as ClientOptions

function protocolOf(url: string) {
  try {
    return new URL(url).protocol
  } catch {
    return ''
  }
}
