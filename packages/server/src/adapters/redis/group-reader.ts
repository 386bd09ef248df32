import { MINUTE_MS, type WindowCube } from '../../window/window-cube.ts'
import { type GroupState, toGroupState } from './completeness.ts'
import { groupKeys, groupOf, groupOfSecond, minuteOfMember, secondOfMember } from './hot-keys.ts'
import { readMinute, readSecond } from './read-minute.ts'
import type { RedisConnection } from './redis-connection.ts'
import type { RunScript } from './redis-scripts.ts'

/** Windows of a group that are read at the same time. */
const AT_ONCE = 8
/** So often all revisions are compared, in case a change was missed, ms. */
const COMPARE_MS = 60_000
const QUIET_MS = 10 * MINUTE_MS
const NOTHING_YET = -1
const NOTHING_MORE = 'inf'

interface Changes {
  runId: string
  state: GroupState
  /** Members and their revisions. */
  minutes: Map<string, string>
  seconds: Map<string, string>
}

/** Brings the minutes of one slot group into the cube, each again when it has changed. */
export class GroupReader {
  state: GroupState = toGroupState([], [])
  private readonly group: number
  private readonly connection: RedisConnection
  private readonly run: RunScript
  private readonly cube: WindowCube
  /** Revision at which each minute was read. */
  private readonly held = new Map<string, string>()
  /** Server that all of it was read from; undefined when nothing is certain. */
  private runId: string | undefined
  private revision = NOTHING_YET
  private comparedAt = Number.NEGATIVE_INFINITY

  constructor(group: number, connection: RedisConnection, run: RunScript, cube: WindowCube) {
    this.group = group
    this.connection = connection
    this.run = run
    this.cube = cube
  }

  /** @returns whether windows were read */
  async refresh(horizon: () => number, now: number): Promise<boolean> {
    let changes = await this.read(this.revision)
    const { revision } = changes.state
    // Another server, or one that lost its last writes: what was read may never have been there.
    const isOther = changes.runId !== this.runId || revision < this.revision
    const isWhole = isOther || performance.now() - this.comparedAt > COMPARE_MS
    if (isWhole) changes = await this.read(NOTHING_YET)
    const isRead = await this.readMinutes(changes, horizon, now, isOther)
    const isSecondRead = await this.readSeconds(changes, now)
    if (isWhole) {
      this.dropOthers(changes, horizon())
      this.comparedAt = performance.now()
    }
    this.state = changes.state
    this.revision = changes.state.revision
    if (!this.hasVanished) this.runId = changes.runId
    return isRead || isSecondRead
  }

  /** What the group says of the partitions, without any window. */
  async readState(): Promise<GroupState> {
    this.state = (await this.read(NOTHING_MORE)).state
    return this.state
  }

  private hasVanished = false

  private async readMinutes(
    { minutes }: Changes,
    horizon: () => number,
    now: number,
    isOther: boolean,
  ): Promise<boolean> {
    this.hasVanished = false
    const { client, groups } = this.connection
    const due = [...minutes].filter(([member, revision]) => isOther || this.held.get(member) !== revision)
    await inTurns(due, AT_ONCE, async ([member, revision]) => {
      const { project, start } = minuteOfMember(member)
      if (start < horizon() || groupOf(project, start, groups) !== this.group) return
      const cells = await readMinute(client, this.group, project, start)
      if (cells.length === 0) {
        // Gone before its time: the store was emptied after it was asked.
        this.hasVanished = true
        this.runId = undefined
      }
      this.cube.replaceMinute(project, start, cells, start + MINUTE_MS + QUIET_MS < now)
      this.held.set(member, revision)
    })
    return due.length > 0
  }

  private async readSeconds({ seconds }: Changes, now: number): Promise<boolean> {
    const { client, groups } = this.connection
    let isRead = false
    await inTurns([...seconds.keys()], AT_ONCE, async (member) => {
      const { project, start } = secondOfMember(member)
      if (start < now - 30_000 || groupOfSecond(project, start, groups) !== this.group) return
      isRead = true
      this.cube.replaceSecond(project, start, await readSecond(client, this.group, project, start))
    })
    return isRead
  }

  /** Forgets minutes that the store no longer has. */
  private dropOthers({ minutes }: Changes, horizon: number): void {
    for (const member of this.held.keys()) {
      const { project, start } = minuteOfMember(member)
      if (minutes.has(member) && start >= horizon) continue
      this.held.delete(member)
      if (start >= horizon) this.cube.replaceMinute(project, start, [], false)
    }
  }

  private async read(since: number | typeof NOTHING_MORE): Promise<Changes> {
    const { fence, begun, touched, touchedSeconds } = groupKeys(this.group)
    const keys = [fence, begun, touched, touchedSeconds]
    const reply = await this.run(this.connection.client, 'read-changes', keys, [String(since), String(since)])
    const [runId, fenceFields, begunFields, minutes, seconds] = reply as [string, ...string[][]]
    return {
      runId,
      state: toGroupState(fenceFields as string[], begunFields as string[]),
      minutes: toMap(minutes as string[]),
      seconds: toMap(seconds as string[]),
    }
  }
}

function toMap(pairs: readonly string[]): Map<string, string> {
  const map = new Map<string, string>()
  for (let i = 0; i < pairs.length; i += 2) map.set(pairs[i] as string, pairs[i + 1] as string)
  return map
}

/** Calls `each` for all items, a few at a time; has ended with all of them also when one fails. */
async function inTurns<T>(items: readonly T[], atOnce: number, each: (item: T) => Promise<void>): Promise<void> {
  let next = 0
  const workers = Array.from({ length: Math.min(atOnce, items.length) }, async () => {
    try {
      while (next < items.length) await each(items[next++] as T)
    } finally {
      // After a failure the others begin with nothing new; a worker that ends well finds nothing left anyway.
      next = items.length
    }
  })
  for (const { status, ...rest } of await Promise.allSettled(workers))
    if (status === 'rejected') throw (rest as { reason: unknown }).reason
}
