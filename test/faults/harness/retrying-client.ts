import { setTimeout as sleep } from 'node:timers/promises'
import type { ProjectKeys } from '../../servers/known-projects.ts'
import type { AcknowledgedLedger } from './acknowledged-ledger.ts'
import type { KnownBatch } from './generated-traffic.ts'
import type { SeededRandom } from './seeded-random.ts'

const REQUEST_MS = 20_000
/** Acknowledged batches kept to be sent once more. */
const KEPT = 20
/** Bots would be left out of every metric. */
const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0'

export interface RetryingClientOptions {
  url: string
  project: ProjectKeys
  nextBatch: () => KnownBatch
  random: SeededRandom
  ledger: AcknowledgedLedger
  /** Longest pause between two batches, ms. @default 60 */
  pauseMs?: number
  /** Told when a request is on its way, and when a batch was acknowledged. */
  onMoment?: (moment: 'sent' | 'acknowledged') => void
}

/** A client that sends one batch after the other, each until it is acknowledged. */
export interface RetryingClient {
  /** Sends that got no 202. */
  readonly retries: number
  /** Why the client has given up. */
  readonly problem: string | undefined
  /** Statuses of answers that were no 202. */
  readonly statuses: ReadonlyMap<number, number>
  /** Sends the batch under way to its end. @throws Error when a batch was refused for good */
  stop(): Promise<void>
}

/** Starts a client. Now and then it sends once more what was acknowledged long ago. */
export function startRetryingClient(options: RetryingClientOptions): RetryingClient {
  const { url, project, nextBatch, random, ledger, pauseMs = 60, onMoment } = options
  const statuses = new Map<number, number>()
  const old: KnownBatch[] = []
  let retries = 0
  let problem: string | undefined
  let stopping = false

  async function post({ key, events }: KnownBatch): Promise<void> {
    const init = {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${key === 'secret' ? project.secretKey : project.writeKey}`,
        'user-agent': BROWSER,
      },
      body: JSON.stringify({ events }),
    }
    for (;;) {
      try {
        const answering = fetch(`${url}/v1/events`, { ...init, signal: AbortSignal.timeout(REQUEST_MS) })
        onMoment?.('sent')
        const answer = await answering
        const text = await answer.text()
        if (answer.status === 202) {
          const { accepted } = JSON.parse(text) as { accepted: number }
          if (accepted !== events.length) throw new Refusal(`${accepted} of ${events.length} were accepted: ${text}`)
          return
        }
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
        if (answer.status < 500) throw new Refusal(`${answer.status}: ${text}`)
        if (answer.status === 503 && !answer.headers.has('retry-after')) throw new Refusal(`503 says not when: ${text}`)
      } catch (error) {
        if (error instanceof Refusal) throw error
      }
      retries++
      await sleep(10 + random.between(0, 40))
    }
  }

  async function run(): Promise<void> {
    while (!stopping) {
      const batch = nextBatch()
      await post(batch)
      ledger.record(project.id, batch)
      onMoment?.('acknowledged')
      if (old.length < KEPT) old.push(batch)
      else if (random.chance(0.1)) old[random.between(0, KEPT)] = batch
      if (random.chance(0.05)) await post(random.pick(old))
      await sleep(random.between(0, pauseMs))
    }
  }

  const running = run()
  // Whoever stops the client hears of its failure.
  running.catch((error: Error) => {
    problem = error.message
  })
  return {
    get retries() {
      return retries
    },
    get problem() {
      return problem
    },
    statuses,
    stop() {
      stopping = true
      return running
    },
  }
}

/** An answer that no retry mends. */
class Refusal extends Error {
  override name = 'Refusal'
}
