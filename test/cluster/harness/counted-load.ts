import { createLedger } from '../../faults/harness/acknowledged-ledger.ts'
import { countedEvents, differencesFrom } from '../../faults/harness/compare-figures.ts'
import { type KnownEvent, RUN } from '../../faults/harness/generated-traffic.ts'
import { sendEvents } from '../../servers/requests.ts'
import { until } from '../../servers/until.ts'
import type { ClusterProcess } from './cluster-process.ts'
import type { Cluster } from './start-cluster.ts'

const CATCH_UP_MS = 120_000
const HOUR_MS = 3_600_000
const SENDERS = 97

/** Known events through a cluster, and whether all of them are counted. */
export interface CountedLoad {
  /** Sends so many events, of senders in every partition; resolves when they are acknowledged. @param at their time */
  send(events: number, at?: number, categoryOf?: (number: number) => string): Promise<void>
  /** Sends the last of them once more: they count once. */
  sendAgain(): Promise<void>
  /** Events that were acknowledged, but for those older than what is compared. */
  readonly sent: number
  /** What history counts now; -1 while it cannot be asked. */
  history(): Promise<number>
  /** Waits until history holds exactly so many events. */
  untilHistory(events: number): Promise<void>
  /** Waits until everything is counted, live and in history. @returns differences by minute, hour and day */
  untilCounted(): Promise<string[]>
  /** What `nowcast audit` prints. */
  audit(): Promise<string>
}

/**
 * Load for a cluster's first processes with the roles ingest and query.
 * @param oldestMs how far back figures are compared
 */
export function createCountedLoad(cluster: Cluster, oldestMs = 2 * HOUR_MS): CountedLoad {
  const { project } = cluster
  const ledger = createLedger()
  const from = Date.now() - oldestMs
  const ingest = cluster.withRole('ingest')[0] as ClusterProcess
  const query = cluster.withRole('query')[0] as ClusterProcess
  const compared = { url: query.url, project, ledger, from }
  const count = (source: 'live' | 'history') => countedEvents(compared, source).catch(() => -1)
  let numbered = 0
  let sent = 0
  let last: readonly KnownEvent[] = []

  return {
    get sent() {
      return sent
    },
    async send(events, at, categoryOf = () => 'shoes') {
      const batch = Array.from({ length: events }, (): KnownEvent => {
        const number = numbered++
        return {
          id: `event-${number}`,
          name: number % 10 === 0 ? 'purchase' : 'click',
          timestamp: at ?? Date.now(),
          anonymousId: `visitor-${number % SENDERS}`,
          category: categoryOf(number),
          properties: { run: RUN },
          context: { country: 'DE', userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Firefox/128.0' },
          ...(number % 10 === 0 && { revenue: `${number % 100}.${String(number % 7)}5` }),
        }
      })
      await sendEvents(ingest.url, project.secretKey, batch)
      ledger.record(project.id, { key: 'secret', events: batch })
      last = batch
      if (at === undefined || at >= from) sent += events
    },
    sendAgain: () => sendEvents(ingest.url, project.secretKey, last),
    history: () => count('history'),
    untilHistory: (events) => until(events, () => count('history'), CATCH_UP_MS),
    async untilCounted() {
      await until(sent, () => count('live'), CATCH_UP_MS)
      await until(sent, () => count('history'), CATCH_UP_MS)
      return (await differencesFrom(compared)).slice(0, 20)
    },
    async audit() {
      const { stdout, stderr } = await query.run('audit')
      return `${stdout}${stderr}`
    },
  }
}
