import { setTimeout as sleep } from 'node:timers/promises'
import { NowcastError } from '../errors.ts'
import type { EventLog } from '../ports/event-log.ts'
import type { EventStore, UserDeletion } from '../ports/event-store.ts'

const POLL_MS = 50

export interface ForgetUserDependencies {
  log: Pick<EventLog, 'partitions' | 'extent'>
  eventStore: Pick<EventStore, 'deleteUser'>
  /** Offset up to which each partition is archived. */
  archivedTo(): Promise<number[]>
}

export interface ForgetUserOptions {
  project: string
  /** User id or anonymous id. */
  id: string
  onProgress?(progress: { step: 'archiving' } | { step: 'rewriting'; partsLeft: number }): void
  /** How long to wait for what was accepted before. @default 60000 */
  waitMs?: number
}

/**
 * Anonymises a user's stored rows, also those that were accepted before the call and are still on their way.
 * @throws NowcastError `archive_unavailable` when they are not archived in time
 */
export async function forgetUser(
  { log, eventStore, archivedTo }: ForgetUserDependencies,
  { project, id, onProgress = () => {}, waitMs = 60_000 }: ForgetUserOptions,
): Promise<UserDeletion> {
  const partitions = Array.from({ length: log.partitions }, (_, partition) => partition)
  const ends = await Promise.all(partitions.map(async (partition) => (await log.extent(partition)).end))
  const deadline = performance.now() + waitMs
  onProgress({ step: 'archiving' })
  for (;;) {
    const archived = await archivedTo()
    if (ends.every((end, partition) => (archived[partition] ?? 0) >= end)) break
    if (performance.now() > deadline) {
      throw new NowcastError(
        'archive_unavailable',
        'events of before are not archived yet: delete the user again later',
        {
          retryable: true,
          retryAfterMs: 10_000,
        },
      )
    }
    await sleep(POLL_MS)
  }
  return eventStore.deleteUser(project, id, (partsLeft) => onProgress({ step: 'rewriting', partsLeft }))
}
