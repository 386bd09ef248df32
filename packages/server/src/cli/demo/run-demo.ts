import { setTimeout as sleep } from 'node:timers/promises'
import { createEventSender, SendError } from '../event-sender.ts'
import { type DemoState, readDemoState, writeDemoState } from './demo-state.ts'
import { createDemoTraffic } from './demo-traffic.ts'
import { growthOf } from './traffic-growth.ts'

/** Time whose events are made at once while the past is filled. */
const SLICE_MS = 5 * 60_000
/** Time after which the past is acknowledged, and the state saved. */
const FILL_SAVE_MS = 60 * 60_000
const LIVE_SAVE_MS = 2000
/** Events between two looks at whether the server keeps up. */
const PUSHES = 500

export interface DemoProgress {
  /** `backfill`: the past is filled; `live`: traffic goes on in real time. */
  phase: 'backfill' | 'live'
  /** The span to fill, epoch ms. */
  fromMs: number
  toMs: number
  /** Everything before is sent, epoch ms. */
  atMs: number
  accepted: number
  rejected: number
}

export interface DemoOptions {
  /** The server's address. */
  url: string
  /** Secret key of the project the traffic is for. */
  key: string
  /** Where it is kept how far the traffic has come. */
  stateFile: string
  /** How much of the past is filled on the first start, in ms. @default 24 hours */
  backfillMs?: number
  /** About how many events the past gets, at most; fewer the further back. @default 230_000 */
  backfillEvents?: number
  /** Live, as a mean over a day. @default 20 */
  eventsPerSecond?: number
  /** @default 1 */
  seed?: number
  /** Between two live batches, in ms. @default 100 */
  stepMs?: number
  progress?: (progress: DemoProgress) => void
  /** Called with a sentence when the server does not take the events. */
  notice?: (message: string) => void
  signal: AbortSignal
  /** The clock, epoch ms. @default Date.now */
  now?: () => number
}

/**
 * Fills the past with a shop's traffic and goes on live until the signal, all through `POST /v1/events`. A later start
 * fills only what is missing since; what it sends again has the same ids.
 * @throws SendError when the server refuses the requests for good
 */
export async function runDemo(options: DemoOptions): Promise<void> {
  const { stateFile, stepMs = 100, signal, progress, now = Date.now } = options
  const startedAt = now()
  const state = startOf(await readDemoState(stateFile), startedAt, options)
  const { seed, eventsPerSecond, liveSinceMs } = state
  const rate = growthOf({ ...densityOf(options), eventsPerSecond, liveSinceMs })
  const traffic = createDemoTraffic({ seed, eventsPerSecond: rate })
  const fromMs = state.sentUntilMs
  let accepted = 0
  let rejected = 0
  let number = 0

  const senderOf = (sentAt: boolean) =>
    createEventSender({
      ...options,
      sentAt,
      giveUpAfterMs: Number.POSITIVE_INFINITY,
      onWaiting: options.notice,
      onSettled(_, rejection) {
        if (!rejection) accepted++
        else if (++rejected === 1) options.notice?.(`The server rejects events: ${rejection.message}`)
      },
    })

  async function send(sender: ReturnType<typeof senderOf>, untilMs: number): Promise<void> {
    for (const event of traffic.eventsBetween(state.sentUntilMs, untilMs)) {
      sender.push(event, number)
      if (++number % PUSHES === 0) await sender.ready()
    }
  }

  function show(phase: DemoProgress['phase'], atMs: number): void {
    progress?.({ phase, fromMs, toMs: Math.max(startedAt, atMs), atMs, accepted, rejected })
  }

  async function fill(): Promise<void> {
    const sender = senderOf(false)
    let at = state.sentUntilMs
    while (now() - at > stepMs * 2 && !signal.aborted) {
      const until = Math.min(at + FILL_SAVE_MS, now())
      for (; at < until; state.sentUntilMs = at) {
        at = Math.min(at + SLICE_MS, until)
        await send(sender, at)
        show('backfill', at)
      }
      await sender.drain()
      await writeDemoState(stateFile, state)
    }
  }

  async function goOnLive(): Promise<void> {
    const sender = senderOf(true)
    let savedAt = now()
    while (!signal.aborted) {
      const at = now()
      // After a pause, such as a suspended laptop, what is missing is sent in slices without rest.
      const isBehind = at - state.sentUntilMs > SLICE_MS
      const until = isBehind ? state.sentUntilMs + SLICE_MS : at
      if (until > state.sentUntilMs) {
        await send(sender, until)
        await sender.drain()
        state.sentUntilMs = until
        show('live', until)
      }
      if (at - savedAt >= LIVE_SAVE_MS) {
        savedAt = at
        await writeDemoState(stateFile, state)
      }
      if (!isBehind) await sleep(stepMs, undefined, { signal }).catch(() => {})
    }
    await writeDemoState(stateFile, state)
  }

  try {
    await fill()
    await goOnLive()
  } catch (error) {
    if (!(error instanceof SendError && error.code === 'interrupted')) throw error
  }
}

function densityOf({ backfillMs = 24 * 3_600_000, backfillEvents = 230_000 }: DemoOptions) {
  return { backfillMs, backfillEvents }
}

/**
 * Where to begin. A gap that the live rate fills with few enough events is filled at that rate; a longer one, or none
 * at all before it, begins thinly.
 */
function startOf(before: DemoState | undefined, now: number, options: DemoOptions): DemoState {
  const { seed = 1, eventsPerSecond = 20 } = options
  const { backfillMs, backfillEvents } = densityOf(options)
  const fresh = { seed, eventsPerSecond, liveSinceMs: now, sentUntilMs: now - backfillMs }
  if (before?.seed !== seed || before.sentUntilMs > now) return fresh
  const sentUntilMs = Math.max(before.sentUntilMs, fresh.sentUntilMs)
  const isShort = ((now - sentUntilMs) / 1000) * eventsPerSecond <= backfillEvents
  const isSame = before.eventsPerSecond === eventsPerSecond
  return { ...fresh, sentUntilMs, liveSinceMs: isShort && isSame ? before.liveSinceMs : now }
}
