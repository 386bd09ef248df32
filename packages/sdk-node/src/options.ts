import type { EventInput, RejectedEvent } from '@nowcast/protocol'
import { LIMITS } from '@nowcast/protocol'
import type { DeliveryError, QueuePolicy } from '@nowcast/sdk-core'

export interface ClientOptions {
  /** The project's secret key, or its write key. */
  key: string
  /** The server's address, with the path it is mounted at if there is one. */
  url: string
  /** How long the first event of a batch waits for others. @default 50 */
  batchMs?: number
  /** Events in one request at most, 1–1000. @default 500 */
  batchEvents?: number
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
  /** Upper bound of the first wait before a batch is sent again; doubles with each attempt. @default 500 */
  retryMinMs?: number
  /** Upper bound of every such wait. @default 30000 */
  retryMaxMs?: number
  /** How long to wait for an answer. @default 10000 */
  requestTimeoutMs?: number
  /** How long `close()`, and the end of the process, waits for what is queued. @default 10000 */
  closeTimeoutMs?: number
  /** Hears of every failure: of attempts that will be repeated, and of events that are lost. @default none */
  onError?: (error: DeliveryError) => void
  /** Hears of every event that the server refused, and why. @default none */
  onRejected?: (rejection: RejectedEvent, event: EventInput) => void
}

const DEFAULTS = {
  batchMs: 50,
  batchEvents: 500,
  batchBytes: 500_000,
  gzipMinBytes: 16_384,
  queueEvents: 50_000,
  queueBytes: 64 * 1024 * 1024,
  retryMinMs: 500,
  retryMaxMs: 30_000,
  requestTimeoutMs: 10_000,
  closeTimeoutMs: 10_000,
}

const LARGEST = { batchEvents: LIMITS.batchEvents, batchBytes: LIMITS.wireBytes - 1024 } as Record<string, number>

export type ResolvedOptions = ClientOptions & Required<Pick<ClientOptions, keyof typeof DEFAULTS>>

/** Fills in defaults, and throws a `TypeError` that names the field that is wrong. */
export function resolveOptions(options: ClientOptions): ResolvedOptions {
  const resolved: ResolvedOptions = { ...DEFAULTS, ...withoutUndefined(options) }
  if (typeof resolved.key !== 'string' || !resolved.key) throw new TypeError('key must be a write key or a secret key')
  if (!/^https?:$/.test(protocolOf(resolved.url))) throw new TypeError('url must be an http or https address')
  for (const field of Object.keys(DEFAULTS) as (keyof typeof DEFAULTS)[]) {
    const value = resolved[field]
    const least = field.endsWith('Ms') || field === 'gzipMinBytes' ? 0 : 1
    const most = LARGEST[field] ?? 2 ** 31 - 1
    if (!(value >= least && value <= most)) throw new TypeError(`${field} must be a number from ${least} to ${most}`)
  }
  if (!['drop-oldest', 'reject', undefined].includes(resolved.queuePolicy))
    throw new TypeError("queuePolicy must be 'drop-oldest' or 'reject'")
  return resolved
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
