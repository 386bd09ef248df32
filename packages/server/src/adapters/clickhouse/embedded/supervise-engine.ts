import { setTimeout as sleep } from 'node:timers/promises'
import { NowcastError } from '../../../errors.ts'
import { type EngineExit, type RunningEngine, type StartEngineOptions, startEngine } from './start-engine.ts'

const FIRST_PAUSE_MS = 50
const MAX_PAUSE_MS = 5000
/** An engine that lived so long is no failure to start. */
const FAIR_LIFE_MS = 2000

export interface SuperviseEngineOptions extends StartEngineOptions {
  /** Told each time the engine ends without having been asked to. */
  onExit?: (exit: EngineExit) => void
}

/** Keeps one embedded engine running. */
export interface EngineSupervisor {
  /** @throws NowcastError when the engine cannot start; nothing is tried again then */
  start(): Promise<void>
  stop(): Promise<void>
  /**
   * The engine that runs.
   * @throws NowcastError `archive_unavailable`, retryable, while there is none
   */
  current(): RunningEngine
  /** Ends the engine at once; when this resolves, nothing it was doing can still land. Another one starts by itself. */
  replace(engine: RunningEngine): Promise<void>
}

/** Starts the engine again whenever it dies, after pauses that double up to five seconds. */
export function superviseEngine(options: SuperviseEngineOptions): EngineSupervisor {
  let engine: RunningEngine | undefined
  let stopping = new AbortController()
  let failure: unknown
  let pauseMs = FIRST_PAUSE_MS
  /** Settles once an engine runs again, or none will. */
  let restarting: Promise<void> | undefined

  const begin = async () => {
    const { signal } = stopping
    const started = await startEngine(options)
    if (signal.aborted) return started.stop()
    const startedAt = Date.now()
    engine = started
    started.exited.then((exit) => {
      if (engine === started) engine = undefined
      if (signal.aborted) return
      options.onExit?.(exit)
      if (Date.now() - startedAt > FAIR_LIFE_MS) pauseMs = FIRST_PAUSE_MS
      restarting = restart(signal).finally(() => {
        restarting = undefined
      })
    })
  }

  const restart = async (signal: AbortSignal) => {
    while (!signal.aborted) {
      try {
        await sleep(pauseMs, undefined, { signal })
        pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)
        return await begin()
      } catch (error) {
        failure = error
      }
    }
  }

  return {
    async start() {
      stopping = new AbortController()
      await begin()
    },
    async stop() {
      stopping.abort()
      const last = engine
      engine = undefined
      await last?.stop()
      await restarting
    },
    current() {
      if (engine) return engine
      const message = stopping.signal.aborted
        ? 'The archive is stopped'
        : 'The embedded ClickHouse engine is starting again'
      throw new NowcastError('archive_unavailable', message, { retryable: true, retryAfterMs: pauseMs, cause: failure })
    },
    replace: (given) => given.kill(),
  }
}
