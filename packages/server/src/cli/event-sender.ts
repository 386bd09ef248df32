import { setTimeout as sleep } from 'node:timers/promises'
import { type EventInput, type IngestAnswer, LIMITS, type RejectedEvent } from '@nowcast/protocol'

/** Bytes of events in one request: below the server's bound on a body, envelope included. */
const BATCH_BYTES = 900_000
/** Events a lane holds before `ready()` waits. */
const LANE_EVENTS = 2 * LIMITS.batchEvents
const LANE_BYTES = 2 * BATCH_BYTES
/** How long a batch that is not full waits for more events. */
const LINGER_MS = 20
const REQUEST_TIMEOUT_MS = 60_000
const FIRST_RETRY_MS = 200
const LONGEST_RETRY_MS = 10_000
const SHORTEST_RETRY_AFTER_MS = 50
const LONGEST_RETRY_AFTER_MS = 60_000
/** Faults of the address itself: hopeless unless the server has answered before. */
const HOPELESS = /^(ENOTFOUND|ERR_INVALID_URL|ERR_TLS.*|CERT_.*|DEPTH_ZERO.*|SELF_SIGNED.*|UNABLE_TO_.*)$/

/**
 * `unreachable`: no success for `giveUpAfterMs`, or an address that cannot work; `refused`: the server will not take
 * these requests; `interrupted`: the signal was aborted.
 */
export type SendErrorCode = 'unreachable' | 'refused' | 'interrupted'

export class SendError extends Error {
  readonly code: SendErrorCode

  constructor(code: SendErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'SendError'
    this.code = code
  }
}

export interface EventSenderOptions {
  /** The server's address, without `/v1/events`. */
  url: string
  /** A project's secret key. */
  key: string
  /** Requests in flight at once. All events of one sender go through the same lane. @default 4 */
  lanes?: number
  /** Whether requests carry the client's clock; off for history. @default false */
  sentAt?: boolean
  /** How long one request is tried before the sender fails, in ms. @default 300_000 */
  giveUpAfterMs?: number
  signal?: AbortSignal
  /** Called once per event, when the server has answered for it; `rejection` when it was refused. */
  onSettled?: (tag: number, rejection?: RejectedEvent) => void
  /** Called before each wait for another try. */
  onWaiting?: (message: string) => void
  /** Called once when the sender gives up; nothing is settled afterwards. */
  onFailed?: (error: unknown) => void
}

export interface EventSender {
  /** Takes one event; await `ready()` now and then, or memory grows. Events over the bound of a body are not taken. */
  push(event: EventInput, tag: number): boolean
  /** Resolves when every lane has room. @throws SendError */
  ready(): Promise<void>
  /** Sends what is held and resolves when everything is answered. @throws SendError */
  drain(): Promise<void>
}

interface Entry {
  json: string
  bytes: number
  tag: number
}

interface Lane {
  queue: Entry[]
  bytes: number
  busy: boolean
  timer: NodeJS.Timeout | undefined
}

/**
 * Sends events to a server's `POST /v1/events`: batched, several requests in flight, in order per sender, and again
 * until they are answered. Ids make the repeats harmless.
 */
export function createEventSender(options: EventSenderOptions): EventSender {
  const post = createPost(options)
  const lanes: Lane[] = Array.from({ length: options.lanes ?? 4 }, () => ({
    queue: [],
    bytes: 0,
    busy: false,
    timer: undefined,
  }))
  let waiting: { until: () => boolean; resolve: () => void; reject: (error: unknown) => void }[] = []
  let failed: { error: unknown } | undefined

  function fail(error: unknown): void {
    if (failed) return
    failed = { error }
    for (const lane of lanes) clearTimeout(lane.timer)
    for (const { reject } of waiting) reject(error)
    waiting = []
    options.onFailed?.(error)
  }

  const hasRoom = () => lanes.every((lane) => lane.queue.length < LANE_EVENTS && lane.bytes < LANE_BYTES)
  const isIdle = () => lanes.every((lane) => lane.queue.length === 0 && !lane.busy)

  function when(until: () => boolean): Promise<void> {
    if (failed) return Promise.reject(failed.error)
    if (until()) return Promise.resolve()
    return new Promise((resolve, reject) => waiting.push({ until, resolve, reject }))
  }

  function wake(): void {
    waiting = waiting.filter((waiter) => {
      if (!waiter.until()) return true
      waiter.resolve()
      return false
    })
  }

  async function run(lane: Lane): Promise<void> {
    clearTimeout(lane.timer)
    lane.timer = undefined
    if (lane.busy || failed) return
    lane.busy = true
    try {
      while (lane.queue.length > 0 && !failed) {
        const batch = takeBatch(lane)
        const rejected = await post(batch)
        for (let i = 0; i < batch.length; i++) options.onSettled?.(batch[i]!.tag, rejected.get(i))
        wake()
      }
    } catch (error) {
      fail(error)
    }
    lane.busy = false
    wake()
  }

  return {
    push(event, tag) {
      const json = JSON.stringify(event)
      const bytes = Buffer.byteLength(json) + 1
      if (bytes > BATCH_BYTES) return false
      const lane = lanes[laneOf(String(event.anonymousId ?? event.userId ?? ''), lanes.length)]!
      lane.queue.push({ json, bytes, tag })
      lane.bytes += bytes
      if (lane.busy || failed) return true
      if (lane.queue.length >= LIMITS.batchEvents || lane.bytes >= BATCH_BYTES) void run(lane)
      else lane.timer ??= setTimeout(() => void run(lane), LINGER_MS)
      return true
    },
    ready: () => when(hasRoom),
    drain() {
      for (const lane of lanes) void run(lane)
      return when(isIdle)
    },
  }
}

function takeBatch(lane: Lane): Entry[] {
  let bytes = 0
  let count = 0
  while (count < lane.queue.length && count < LIMITS.batchEvents) {
    const next = bytes + lane.queue[count]!.bytes
    if (next > BATCH_BYTES) break
    bytes = next
    count++
  }
  lane.bytes -= bytes
  return lane.queue.splice(0, count)
}

/** FNV-1a over UTF-16 code units. */
function laneOf(sender: string, lanes: number): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < sender.length; i++) hash = Math.imul(hash ^ sender.charCodeAt(i), 0x01000193)
  return (hash >>> 0) % lanes
}

/** One batch, tried until the server answers for it. Resolves to the refused events by their place in the batch. */
function createPost(options: EventSenderOptions): (batch: Entry[]) => Promise<Map<number, RejectedEvent>> {
  const { key, signal, giveUpAfterMs = 300_000 } = options
  const address = `${options.url.replace(/\/+$/, '')}/v1/events`
  let answeredBefore = false

  return async (batch) => {
    const startedAt = Date.now()
    const events = `"events":[${batch.map((entry) => entry.json).join(',')}]}`
    for (let attempt = 0; ; attempt++) {
      const outcome = signal?.aborted ? undefined : await tryOnce(events, batch.length)
      if (outcome instanceof Map) {
        answeredBefore = true
        return outcome
      }
      if (!outcome || signal?.aborted) throw new SendError('interrupted', 'Stopped before everything was sent.')
      const backoff = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** attempt) * (0.75 + Math.random() / 2)
      const waitMs = outcome.retryAfterMs ?? backoff
      const leftMs = giveUpAfterMs - (Date.now() - startedAt)
      if (leftMs <= 0) {
        throw new SendError('unreachable', `${outcome.problem}, for ${seconds(giveUpAfterMs)} without success.`)
      }
      const until = Number.isFinite(leftMs) ? `, for ${seconds(leftMs)} more` : ''
      options.onWaiting?.(`${outcome.problem}; trying again in ${seconds(waitMs)}${until}.`)
      await sleep(Math.min(waitMs, leftMs), undefined, { signal }).catch(() => {})
    }
  }

  async function tryOnce(
    events: string,
    count: number,
  ): Promise<Map<number, RejectedEvent> | { problem: string; retryAfterMs?: number }> {
    const timeout = new AbortController()
    const timer = setTimeout(() => timeout.abort(), REQUEST_TIMEOUT_MS)
    const stop = () => timeout.abort()
    signal?.addEventListener('abort', stop, { once: true })
    try {
      const response = await fetch(address, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
        body: options.sentAt ? `{"sentAt":${Date.now()},${events}` : `{${events}`,
        redirect: 'manual',
        signal: timeout.signal,
      })
      return readAnswer(response.status, response.headers, await response.text(), count)
    } catch (error) {
      if (error instanceof SendError) throw error
      const cause = (error as { cause?: { code?: string; message?: string } }).cause
      const reason = timeout.signal.aborted ? 'no answer in time' : (cause?.code ?? cause?.message ?? String(error))
      const problem = `Cannot reach ${address} (${reason})`
      if (!answeredBefore && HOPELESS.test(reason)) {
        throw new SendError('unreachable', `${problem}: check the address.`, error)
      }
      return { problem }
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', stop)
    }
  }

  function readAnswer(status: number, headers: Headers, text: string, count: number) {
    if (status >= 500 || status === 429 || status === 408) {
      const retryAfterMs = parseRetryAfter(headers.get('retry-after'))
      return { problem: `The server is not taking events now (${describe(status, text)})`, retryAfterMs }
    }
    const answer = parseJson(text) as Partial<IngestAnswer> | undefined
    if ((status === 202 || status === 400) && Array.isArray(answer?.rejected)) {
      if ((answer.accepted ?? 0) + answer.rejected.length === count) {
        return new Map(answer.rejected.map((rejection) => [rejection.index, rejection]))
      }
    }
    throw new SendError('refused', `${refusal(status, headers)} ${address} answered: ${describe(status, text)}.`)
  }
}

/** What to do about an answer that no repeat will change. */
function refusal(status: number, headers: Headers): string {
  if (status === 401 || status === 403) return "The server refuses the key: give the project's secret key."
  if (status === 404 || status === 405) return 'There is no Nowcast server at this address: check the URL.'
  if (status >= 300 && status < 400) return `The server has moved: use ${headers.get('location')} instead.`
  return 'The answer is not one of a Nowcast server of this version: check the URL and both versions.'
}

function describe(status: number, text: string): string {
  const message = (parseJson(text) as { error?: { message?: string } } | undefined)?.error?.message
  return `${status} ${message ?? text.slice(0, 200).trim()}`.trim()
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** `Retry-After` as seconds or an HTTP date, in ms, bounded. */
function parseRetryAfter(value: string | null): number | undefined {
  if (!value) return undefined
  const ms = /^\d+(\.\d+)?$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - Date.now()
  return Number.isFinite(ms) ? Math.min(Math.max(ms, SHORTEST_RETRY_AFTER_MS), LONGEST_RETRY_AFTER_MS) : undefined
}

function seconds(ms: number): string {
  return ms < 1000 ? `${Math.max(1, Math.round(ms))} ms` : `${Math.round(ms / 1000)} s`
}
