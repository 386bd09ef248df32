import type { WindowRow, WindowSlice } from '../../ports/window-feed.ts'
import { KafkaError, kafkaErrorOf } from './kafka-error.ts'
import { committedRecords } from './records/committed-records.ts'
import { toWindowRow } from './records/window-row.ts'
import type { TopicView } from './topic-view.ts'
import { fetchRequest, readFetched } from './wire/fetch.ts'

const REQUEST_MS = 10_000
const FETCH_BYTES = 8 * 1024 * 1024
const PARTITION = 0

/** Records that are no rows. */
export interface ForeignWindows {
  /** Of the first. */
  offset: number
  count: number
  /** Why the first is none. */
  reason: string
}

/** The broker that leads the topic of windows. @throws KafkaError when there is none now */
export function leaderOf(view: TopicView): number {
  const { leaders, problem } = view.byLeader([PARTITION])
  if (problem) throw problem
  return [...leaders.keys()][0] as number
}

/**
 * The next committed rows of a topic of windows.
 * @param waitMs how long the broker may wait for some
 * @throws KafkaError
 */
export async function fetchWindows(
  view: TopicView,
  from: number,
  waitMs: number,
): Promise<WindowSlice & { foreign: ForeignWindows | undefined }> {
  const request = fetchRequest({
    topicId: view.id,
    partitions: [{ partition: PARTITION, offset: from }],
    maxWaitMs: waitMs,
    maxBytes: FETCH_BYTES,
    partitionMaxBytes: FETCH_BYTES,
    isCommitted: true,
  })
  const link = view.link(leaderOf(view), 'follow')
  const answer = await link.send(request, REQUEST_MS + waitMs)
  const { errorCode, partitions } = readFetched(answer)
  const [fetched] = partitions
  const error = kafkaErrorOf(errorCode || (fetched?.errorCode ?? 0))
  if (error) throw error
  if (!fetched) throw new KafkaError('TIMEOUT', `a broker answered without a word on ${view.topic}`)
  const { records, next } = committedRecords(fetched.records, from, fetched.aborted)
  const sorted = sort(records)
  // Rows hold copies of what they need of it.
  link.release(answer)
  return { to: next, ...sorted, isWhole: next >= fetched.lastStable }
}

function sort(records: ReturnType<typeof committedRecords>['records']) {
  const rows: WindowRow[] = []
  let foreign: ForeignWindows | undefined
  for (const record of records) {
    try {
      rows.push({ ...toWindowRow(record), offset: record.offset })
    } catch (error) {
      foreign ??= { offset: record.offset, count: 0, reason: (error as Error).message }
      foreign.count++
    }
  }
  return { rows, foreign }
}
