import { type Cell, cellKey } from '../../record/cell.ts'
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
/** Minutes that are about to expire may be gone by the clock of Redis already. */
const EXPIRING_MS = 5 * MINUTE_MS
const QUIET_MS = 10 * MINUTE_MS
const NOTHING_YET = -1
const NOTHING_MORE = 'inf'

interface Changes {
  /** Of the server and of what was begun there. */
  identity: string
  state: GroupState
  /** Members and their revisions. */
  minutes: Map<string, string>
  seconds: Map<string, string>
}

/** As `read-changes.lua` answers. */
type Reply = [string, string[], string[], string[], string[], string]

/**
 * Brings the minutes of one slot group into the cube, each again when it has changed. What is to be read as a whole, at
 * the start or after a loss, waits in a backlog: the newest minutes come first, and older ones are incomplete until then.
 */
export class GroupReader {
  state: GroupState = toGroupState([], [], 0)
  private readonly group: number
  private readonly connection: RedisConnection
  private readonly run: RunScript
  private readonly cube: WindowCube
  /** Revision at which each minute was read. */
  private readonly held = new Map<string, string>()
  /** Minutes to be read, with their revisions, the newest last. */
  private backlog: [member: string, revision: string][] = []
  /** That of all that was read. */
  private identity: string | undefined
  private revision = NOTHING_YET
  private comparedAt = Number.NEGATIVE_INFINITY

  constructor(group: number, connection: RedisConnection, run: RunScript, cube: WindowCube) {
    this.group = group
    this.connection = connection
    this.run = run
    this.cube = cube
  }

  /** Minutes before it (epoch ms) are not as the store has them. */
  get incompleteBefore(): number {
    const newest = this.backlog.at(-1)
    return newest ? minuteOfMember(newest[0]).start + MINUTE_MS : 0
  }

  /**
   * Reads what has changed, then of the backlog until `deadline` (`performance.now()`).
   * @returns whether windows were read
   */
  async refresh(horizon: () => number, now: number, deadline: number): Promise<boolean> {
    let changes = await this.read(this.revision)
    const { revision } = changes.state
    // Another server, one that lost its last writes, or was emptied: what was read may never have been there.
    const isOther = changes.identity !== this.identity || revision < this.revision
    const isWhole = isOther || performance.now() - this.comparedAt > COMPARE_MS
    if (isWhole) {
      changes = await this.read(NOTHING_YET)
      this.dropOthers(changes, horizon())
      if (isOther) this.held.clear()
      const isDue = ([member, at]: [string, string]) => this.held.get(member) !== at
      this.backlog = [...changes.minutes].filter(isDue).sort(byStart)
      this.comparedAt = performance.now()
      this.identity = changes.identity
    } else if (changes.minutes.size > 0) {
      const waiting = new Set(this.backlog.map(([member]) => member))
      const read = (minute: [string, string]) => this.readMinute(minute, horizon, now, !waiting.has(minute[0]))
      await inTurns([...changes.minutes], AT_ONCE, read)
      this.backlog = this.backlog.filter(([member]) => !changes.minutes.has(member))
    }
    const isSecondRead = await this.readSeconds(changes, now)
    this.revision = changes.state.revision
    const isBacklogRead = await this.readBacklog(horizon, now, deadline)
    this.state = changes.state
    return isBacklogRead || isSecondRead || changes.minutes.size > 0
  }

  /** What the group says of the partitions, without any window. */
  async readState(): Promise<GroupState> {
    this.state = (await this.read(NOTHING_MORE)).state
    return this.state
  }

  private async readBacklog(horizon: () => number, now: number, deadline: number): Promise<boolean> {
    const before = this.backlog.length
    while (this.backlog.length > 0) {
      const batch = this.backlog.slice(-AT_ONCE)
      await inTurns(batch, AT_ONCE, (minute) => this.readMinute(minute, horizon, now, false))
      this.backlog.length -= batch.length
      if (performance.now() > deadline) break
    }
    return before > 0
  }

  /** @param isKnown what was read of it before is as the store had it */
  private async readMinute(
    [member, revision]: [string, string],
    horizon: () => number,
    now: number,
    isKnown: boolean,
  ): Promise<void> {
    const { client, groups } = this.connection
    const { project, start } = minuteOfMember(member)
    if (start < horizon() || groupOf(project, start, groups) !== this.group) return
    const at = { group: this.group, project, minute: start }
    const cells = await readMinute(client, at, isKnown ? (cell) => this.heldCell(start, cell) : undefined)
    // Gone after it was named, though not for its age: the store was emptied.
    if (cells.length === 0 && start > horizon() + EXPIRING_MS) this.comparedAt = Number.NEGATIVE_INFINITY
    this.cube.replaceMinute(project, start, cells, start + MINUTE_MS + QUIET_MS < now)
    this.held.set(member, revision)
  }

  private heldCell(minute: number, cell: Cell) {
    const windows = this.cube.projects.get(cell.project)
    const id = windows?.dictionary.idOf(cellKey(cell))
    return id === undefined ? undefined : windows?.minutes.get(minute)?.openCell(id)
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
    const [runId, fences, beginnings, minutes, seconds, time] = reply as Reply
    const state = toGroupState(fences, beginnings, Number(time) * 1000)
    return { identity: [runId, ...beginnings].join(' '), state, minutes: toMap(minutes), seconds: toMap(seconds) }
  }
}

const byStart = ([one]: [string, string], [other]: [string, string]) =>
  minuteOfMember(one).start - minuteOfMember(other).start

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
