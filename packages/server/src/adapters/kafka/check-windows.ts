import { setTimeout as sleep } from 'node:timers/promises'
import type { Finding } from '../../ports/finding.ts'
import type { WindowStatement } from '../../ports/window-feed.ts'
import type { KafkaConnectionOptions } from './broker-link.ts'
import { type ForeignWindows, fetchWindows, leaderOf } from './fetch-windows.ts'
import { KafkaError } from './kafka-error.ts'
import { createTopicOffsets } from './topic-offsets.ts'
import { readBrokerSettings } from './topic-settings.ts'
import { createTopicView, type TopicView } from './topic-view.ts'
import { checkWindowsTopic } from './windows-topic.ts'

export interface WindowsCheckOptions extends KafkaConnectionOptions {
  /** Topic that the job writes to. */
  topic: string
  /** Topic that it reads. */
  events: { topic: string; partitions: number }
  /** How long a job that is behind is watched, ms. @default 15000 */
  watchMs?: number
}

type Positions = Extract<WindowStatement, { kind: 'positions' }>

/** How far back the job's last positions are looked for, in steps, in rows: they are written about every second. */
const LOOK_BACK = [1000, 30_000, 1_000_000]
const POLL_MS = 1000
/** What the job asks for unless it is told otherwise, ms. */
const TRANSACTION_MS = 900_000
const TRANSACTION_SETTING = 'transaction.max.timeout.ms'
const START = 'start the job with nowcast flink --gateway http://…'

/** What is right and wrong with the topic that a job in Flink writes to, and with the job, for people. Makes nothing, never throws. */
export async function checkWindows(options: WindowsCheckOptions): Promise<Finding[]> {
  const { topic, events } = options
  const view = createTopicView(topic, options)
  const eventsView = createTopicView(events.topic, options)
  try {
    if (!(await view.find())) {
      return [{ what: 'topic', ok: false, message: `${topic} is not there: ${START}, which makes it` }]
    }
    const findings = await checkWindowsTopic(view)
    if (findings.some(({ isFatal }) => isFatal)) return findings
    return [await checkJob(view, eventsView, options), ...findings, await checkTransactions(view)]
  } catch (error) {
    return [{ what: 'topic', ok: false, message: `${topic}: ${(error as Error).message}` }]
  } finally {
    view.close()
    eventsView.close()
  }
}

/**
 * The longest time-out of transactions that the brokers allow, ms; undefined where they do not tell this user.
 * @throws KafkaError
 */
export async function longestTransactionMs(options: KafkaConnectionOptions & { topic: string }) {
  const view = createTopicView(options.topic, options)
  try {
    await view.refresh()
    return await longestOf(view)
  } finally {
    view.close()
  }
}

async function longestOf(view: TopicView): Promise<number | undefined> {
  const settings = await readBrokerSettings(view, leaderOf(view), [TRANSACTION_SETTING])
  const text = settings instanceof KafkaError ? undefined : settings.get(TRANSACTION_SETTING)
  return text === undefined ? undefined : Number(text)
}

async function checkTransactions(view: TopicView): Promise<Finding> {
  const longestMs = await longestOf(view)
  const what = TRANSACTION_SETTING
  if (longestMs === undefined) {
    const message = `the brokers do not tell this user: the job needs ${TRANSACTION_MS} ms, which is their default`
    return { what, ok: true, message }
  }
  const ok = longestMs >= TRANSACTION_MS
  const outage = `what the job has written outlives an outage of ${Math.floor(longestMs / 1000)} s`
  const message = ok
    ? `${outage} at most`
    : `${outage} only, and the job asks for ${TRANSACTION_MS} ms: set ${TRANSACTION_SETTING} to that or more on the brokers, or submit the job with --transaction-timeout ${Math.floor(longestMs / 1000)}s`
  return { what, ok, message }
}

/** Whether the topic holds rows of a job, and whether the job keeps up with the events. */
async function checkJob(view: TopicView, eventsView: TopicView, options: WindowsCheckOptions): Promise<Finding> {
  const { topic, events, watchMs = 15_000 } = options
  const what = 'job'
  const problem = (message: string): Finding => ({ what, ok: false, message })
  const { positions, foreign, rows } = await lastPositions(view)
  if (!positions) {
    if (rows === 0) return problem(`${topic} holds no windows: ${START}`)
    const first = foreign ? ` (offset ${foreign.offset}: ${foreign.reason})` : ''
    return problem(
      `${topic} holds ${rows} records, but no windows of ours${first}: stop whoever writes there or choose another topic with --windows-topic, then ${START}`,
    )
  }
  if (!(await eventsView.find())) return problem(`${events.topic}, which the job reads, is not there`)
  const offsets = createTopicOffsets(eventsView)
  const ends = await Promise.all(
    Array.from({ length: events.partitions }, async (_, partition) => (await offsets.ask(partition)).end),
  )
  const waiting = (at: Positions) =>
    ends.reduce((sum, end, partition) => sum + Math.max(0, end - nextOf(at, partition)), 0)
  const ahead = ends.findIndex((end, partition) => nextOf(positions, partition) > end)
  if (ahead >= 0) {
    return problem(
      `it has counted up to offset ${nextOf(positions, ahead)} of partition ${ahead} of ${events.topic}, which ends at ${ends[ahead]}: the topic of events was made anew. Delete ${topic}, and start the job anew, without a savepoint`,
    )
  }
  // Of what is here now: what comes meanwhile is not its business.
  let at = positions
  const startedAt = performance.now()
  while (waiting(at) > 0 && performance.now() - startedAt < watchMs) {
    await sleep(POLL_MS)
    at = (await lastPositions(view)).positions ?? at
  }
  const seconds = (performance.now() - startedAt) / 1000
  const left = waiting(at)
  if (left === 0) return { what, ok: true, message: `${topic} holds what the job has counted: all events` }
  const counted = waiting(positions) - left
  if (counted <= 0) {
    const last = new Date(Math.max(...at.partitions.map(({ lastAt }) => lastAt))).toISOString()
    return problem(
      `it has written nothing for ${Math.round(seconds)} s and ${left} events wait; the last one that it counted came at ${last}: is it running, and do its checkpoints complete?`,
    )
  }
  return problem(
    `it is behind: ${left} events wait, and it counts ${Math.round(counted / seconds)} a second: give it more task slots and CPU, if that lasts`,
  )
}

const nextOf = ({ partitions }: Positions, partition: number) =>
  partitions.find((one) => one.partition === partition)?.next ?? 0

/** The last positions among the committed rows, and what else was seen where there are none. */
async function lastPositions(
  view: TopicView,
): Promise<{ positions: Positions | undefined; foreign: ForeignWindows | undefined; rows: number }> {
  const { start, end } = await createTopicOffsets(view).ask(0)
  let foreign: ForeignWindows | undefined
  let rows = 0
  for (const back of LOOK_BACK) {
    const since = Math.max(start, end - back)
    let positions: Positions | undefined
    rows = 0
    for (let at = since; at < end; ) {
      const slice = await fetchWindows(view, at, 0)
      for (const row of slice.rows) if (row.kind === 'positions') positions = row
      rows += slice.rows.length + (slice.foreign?.count ?? 0)
      foreign ??= slice.foreign
      if (slice.to === at) break
      at = slice.to
    }
    if (positions || since === start) return { positions, foreign, rows }
  }
  return { positions: undefined, foreign, rows }
}
