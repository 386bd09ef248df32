import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Answer, ResumeAck } from '@nowcast/protocol'
import type { Logger } from 'pino'
import { NowcastError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { Telemetry } from '../telemetry.ts'
import { Room, type RoomMessage } from './room.ts'

const LINGER_MS = 30_000
const TICK_MS = 250
/** How long a stop waits for questions under way, ms. */
const LAST_ANSWERS_MS = 1000

export interface LiveHubDependencies {
  clock: Clock
  telemetry: Telemetry
  logger: Logger
  /** Calls back when windows have changed; returns how to stop. */
  onTouched(callback: () => void): () => void
  /** Sends a message to all viewers of a room. */
  broadcast(roomId: string, message: RoomMessage): void
}

export interface LiveHubOptions {
  /** Distinct questions that may be watched at a time. @default 10000 */
  maxRooms?: number
}

/** A question as the hub needs it. */
export interface LiveQuestion {
  /** Equal for questions with equal answers. */
  key: string
  everyMs: number
  /** Who may come back to it by its id. */
  scope: string
  watch(): { answer(): Promise<Answer> }
}

/** Rooms of equal questions; each is computed once a tick, whatever the number of viewers. */
export interface LiveHub {
  start(): void
  stop(): Promise<void>
  /** Joins the question's room, which stays while it has viewers. Leave it with `leave`. */
  join(question: LiveQuestion): Room
  /** Joins a room again after a gap or a reconnect; undefined when this node does not have it. */
  rejoin(id: string, scope: string): Room | undefined
  leave(room: Room): void
  /** What a viewer with a room's `revision` has missed. */
  missed(room: Room, revision: number): ResumeAck
}

interface Entry {
  room: Room
  key: string
  scopes: Set<string>
  viewers: number
  emptySince: number
  computing: Promise<void> | undefined
  /** Its last answer failed; told once. */
  isFailing: boolean
}

/** A hub for one node. */
export function createLiveHub(dependencies: LiveHubDependencies, options: LiveHubOptions = {}): LiveHub {
  const { clock, telemetry, logger, onTouched, broadcast } = dependencies
  const { maxRooms = 10_000 } = options
  const byKey = new Map<string, Entry>()
  const byId = new Map<string, Entry>()
  let timer: NodeJS.Timeout | undefined
  let isStopped = false
  let ticking: Promise<void> | undefined
  let stopListening: () => void = () => {}

  /** Starts what is due, and lets others work in between. */
  async function tick(): Promise<void> {
    const startedAt = performance.now()
    const now = clock.now()
    let computed = 0
    for (const entry of [...byId.values()]) {
      const { room } = entry
      if (entry.viewers === 0) {
        if (now - entry.emptySince > LINGER_MS) remove(entry)
        continue
      }
      if (entry.computing || now - room.answeredAt < room.everyMs - TICK_MS / 2) continue
      computed++
      entry.computing = compute(entry).finally(() => {
        entry.computing = undefined
      })
      // One that reads the archive holds up no other.
      await Promise.race([entry.computing, aBreath()])
    }
    if (computed > 0) telemetry.liveTick.observe((performance.now() - startedAt) / 1000)
  }

  function soon(): void {
    ticking ??= tick().finally(() => {
      ticking = undefined
    })
  }

  async function compute(entry: Entry): Promise<void> {
    const { room } = entry
    const now = clock.now()
    if (room.answeredAt > 0)
      telemetry.liveLag.observe(Math.max(0, now - room.answeredAt - Math.max(room.everyMs, TICK_MS)) / 1000)
    try {
      const message = await room.tick(now)
      entry.isFailing = false
      if (message && byId.has(room.id)) broadcast(room.id, message)
    } catch (error) {
      if (!entry.isFailing && !isStopped) logger.warn({ error, room: room.id }, 'a live question could not be answered')
      entry.isFailing = true
    }
  }

  function remove(entry: Entry): void {
    byKey.delete(entry.key)
    byId.delete(entry.room.id)
    telemetry.liveRooms.set(byId.size)
  }

  /** Rooms that nobody watches are kept for those who come back, as long as there is place. */
  function forgetAnEmptyOne(): void {
    let oldest: Entry | undefined
    for (const entry of byId.values())
      if (entry.viewers === 0 && (!oldest || entry.emptySince < oldest.emptySince)) oldest = entry
    if (oldest) remove(oldest)
  }

  function enter(entry: Entry): Room {
    entry.viewers++
    telemetry.liveSubscriptions.inc()
    return entry.room
  }

  return {
    start() {
      timer = setInterval(soon, TICK_MS)
      timer.unref()
      // What is due is told at once, not at the next turn of the clock.
      stopListening = onTouched(soon)
    },
    async stop() {
      clearInterval(timer)
      stopListening()
      isStopped = true
      const answered = (async () => {
        await ticking
        await Promise.all(Array.from(byId.values(), ({ computing }) => computing))
      })()
      await Promise.race([answered, sleep(LAST_ANSWERS_MS, undefined, { ref: false })])
    },
    join({ key, everyMs, scope, watch }) {
      let entry = byKey.get(key)
      if (!entry) {
        if (byId.size >= maxRooms) forgetAnEmptyOne()
        if (byId.size >= maxRooms)
          throw new NowcastError('buffer_full', 'too many different live queries on this server', { retryable: true })
        const watched = watch()
        const room = new Room(randomUUID(), everyMs, () => watched.answer())
        entry = { room, key, scopes: new Set(), viewers: 0, emptySince: 0, computing: undefined, isFailing: false }
        byKey.set(key, entry)
        byId.set(room.id, entry)
        telemetry.liveRooms.set(byId.size)
      }
      entry.scopes.add(scope)
      return enter(entry)
    },
    rejoin(id, scope) {
      const entry = byId.get(id)
      return entry?.scopes.has(scope) ? enter(entry) : undefined
    },
    leave(room) {
      const entry = byId.get(room.id)
      if (!entry) return
      entry.viewers--
      entry.emptySince = clock.now()
      telemetry.liveSubscriptions.dec()
    },
    missed(room, revision) {
      const deltas = room.deltasAfter(revision)
      return deltas ? { id: room.id, deltas } : room.snapshot()
    },
  }
}

/** Lets input and output have their turn. */
function aBreath(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

export type { Room, RoomMessage } from './room.ts'
