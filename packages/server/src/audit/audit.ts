import { NowcastError } from '../errors.ts'
import type { EventLog } from '../ports/event-log.ts'
import type { EventStore, MinuteTotals } from '../ports/event-store.ts'
import type { Fence, HotStore } from '../ports/hot-store.ts'
import { formatDecimal } from '../record/decimal.ts'
import { DuplicateWindow } from '../window/duplicate-window.ts'
import { joinSum } from '../window/split-sum.ts'
import { MINUTE_MS } from '../window/window-cube.ts'

const WAIT_MS = 30_000
const POLL_MS = 50
/** A difference that is still there then is none of inserts under way. */
const MOST_COUNTS = 20
/** No event is later: what the archive can hold ends before it. */
const LAST_MS = 7e12
const COLD: Fence = { offset: 0, cuts: [] }

export interface AuditDependencies {
  log: EventLog
  hotStore: HotStore
  eventStore: EventStore
  /** Offset up to which each partition is archived. */
  archivedTo(): Promise<number[]>
  /** Whether live figures that this process alone fills are full, or become so within `mostMs`. */
  filled(mostMs: number): Promise<boolean>
}

export interface AuditOptions {
  /** Minutes from here on, epoch ms. @default 24 hours ago */
  from?: number
  /** Minutes before this, epoch ms. @default now */
  to?: number
  duplicateOffsets: number
  duplicateMs: number
}

/** A place where two sources differ. */
export interface AuditDifference {
  what: string
  expected: string
  found: string
}

/** What an audit compared, and where it found differences. */
export interface AuditReport {
  /** Minutes of projects that were compared between the hot store and the archive. */
  minutes: number
  /** Events in them. */
  events: number
  /** Rows of the archive in the range. */
  rows: number
  /** Offsets of the log that were looked at. */
  offsets: number
  differences: AuditDifference[]
}

/**
 * Compares log, hot store and archive, to the unit and the last decimal: the hot store at its fences with the archive's
 * rows below them, the archive's rows with its rollups, the hours of months whose events were deleted with what those
 * were, the log's offsets (repeats left out) with the archive's.
 * @throws NowcastError `hot_store_unavailable`, `archive_unavailable` where half a minute is not enough for live figures to
 *   be filled or the archive to catch up
 */
export async function audit(dependencies: AuditDependencies, options: AuditOptions): Promise<AuditReport> {
  const { log, hotStore, eventStore } = dependencies
  const { from = 0, to = Number.MAX_SAFE_INTEGER } = options
  const differences: AuditDifference[] = []
  // Before that, log and archive would be compared with next to nothing.
  if (!(await dependencies.filled(WAIT_MS)))
    throw new NowcastError(
      'hot_store_unavailable',
      'the live figures are still being filled from the log: audit again in a minute',
      { retryable: true },
    )
  const { fences, hot, completeSince } = await hotTotals(log, hotStore)
  await archivedPast(fences, dependencies)

  const end = Math.min(to, LAST_MS)
  // A hot store that is still being filled is complete with nothing: since no time at all.
  const hotFrom = Math.min(Math.max(from, completeSince), end)
  const archived = await eventStore.minuteTotals(log.epoch, hotFrom, end, fences)
  const inRange = ({ minute }: MinuteTotals) => minute >= hotFrom && minute < to
  const archivedByKey = new Map(archived.filter(inRange).map((totals) => [keyOf(totals), totals]))
  const hotByKey = new Map(hot.filter(inRange).map((totals) => [keyOf(totals), totals]))
  let events = 0
  for (const key of new Set([...hotByKey.keys(), ...archivedByKey.keys()])) {
    const live = hotByKey.get(key)
    const stored = archivedByKey.get(key)
    const { project, minute } = (live ?? stored) as MinuteTotals
    events += live?.events ?? 0
    if (live?.events === stored?.events && live?.revenue === stored?.revenue) continue
    differences.push({
      what: `${project} at ${new Date(minute).toISOString()}: live and history`,
      expected: describe(live),
      found: describe(stored),
    })
  }

  const whole = await settledIntegrity(eventStore, Math.max(0, from), end)
  if (whole.rows !== whole.distinct)
    differences.push({
      what: 'rows of the archive that stand there twice',
      expected: '0',
      found: String(whole.rows - whole.distinct),
    })
  if (whole.rows !== whole.rolledUp)
    differences.push({
      what: 'rows of the archive and their rollups',
      expected: String(whole.rows),
      found: String(whole.rolledUp),
    })

  for (const month of await eventStore.rolledUpTotals()) {
    if (month.to <= from || month.from >= to || month.events === month.held) continue
    differences.push({
      what: `${new Date(month.from).toISOString().slice(0, 7)}: events of the month and of its hours`,
      expected: String(month.events),
      found: String(month.held),
    })
  }

  let offsets = 0
  const retired = new Map((await eventStore.frontiers(log.epoch)).map((at) => [at.partition, at.retiredTo]))
  for (const [partition, fence] of fences.entries()) {
    // What was deleted for its age may still stand in the log.
    const start = Math.max((await log.extent(partition)).start, retired.get(partition) ?? 0)
    if (start >= fence) continue
    offsets += fence - start
    const unique = await uniqueOffsets(log, partition, start, fence, options)
    const stored = await eventStore.countOffsets(log.epoch, partition, start, fence)
    if (unique !== stored)
      differences.push({
        what: `log partition ${partition}, offsets ${start} to ${fence}: log and history`,
        expected: String(unique),
        found: String(stored),
      })
  }
  return { minutes: hotByKey.size, events, rows: whole.rows, offsets, differences }
}

interface HotTotals {
  fences: number[]
  completeSince: number
  hot: MinuteTotals[]
}

/** Totals of the hot store's minutes, and the fences they belong to. */
async function hotTotals(log: EventLog, hotStore: HotStore): Promise<HotTotals> {
  for (;;) {
    const before = await hotStore.view()
    const { revision } = before
    const fences: Fence[] = []
    for (let partition = 0; partition < log.partitions; partition++)
      fences.push((await hotStore.fence(log.epoch, partition)) ?? COLD)
    const view = await hotStore.view()
    // A flush in between, or half done: the fences are not those of the windows.
    if (view.revision !== revision || fences.some(({ cuts }) => cuts.length > 0)) continue
    const hot: MinuteTotals[] = []
    for (const [project, { minutes }] of view.projects) {
      for (const [minute, window] of minutes) {
        if (minute < view.completeSince) continue
        let events = 0
        let revenue = 0n
        window.visit((_id, count, high, low) => {
          events += count
          revenue += joinSum(high, low)
        })
        hot.push({ project, minute, events, revenue })
      }
    }
    return {
      fences: fences.map(({ offset }) => offset),
      completeSince: Math.ceil(view.completeSince / MINUTE_MS) * MINUTE_MS,
      hot,
    }
  }
}

async function archivedPast(fences: readonly number[], { archivedTo }: AuditDependencies): Promise<void> {
  const deadline = performance.now() + WAIT_MS
  const isBehind = async () => {
    const archived = await archivedTo()
    return fences.some((fence, partition) => (archived[partition] ?? 0) < fence)
  }
  while (await isBehind()) {
    if (performance.now() > deadline)
      throw new NowcastError(
        'archive_unavailable',
        'the archive does not catch up with the live figures: is it running? /readyz says what is wrong',
        { retryable: true },
      )
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

/** Rows and rollups are counted one after the other: where an insert came between, they are counted again. */
async function settledIntegrity(eventStore: EventStore, from: number, to: number) {
  for (let tries = 1; ; tries++) {
    const whole = await eventStore.integrity(from, to)
    if (whole.rows === whole.rolledUp || tries === MOST_COUNTS) return whole
  }
}

async function uniqueOffsets(
  log: EventLog,
  partition: number,
  from: number,
  to: number,
  options: AuditOptions,
): Promise<number> {
  const window = new DuplicateWindow(options.duplicateOffsets, options.duplicateMs)
  const start = Math.max(0, from - options.duplicateOffsets)
  window.reset(start)
  let unique = 0
  for await (const { offset, ids, receivedAt } of log.readIdentities(partition, start, to)) {
    if (offset !== window.position) window.reset(offset)
    const first = Math.min(receivedAt.length, Math.max(0, from - offset))
    window.add(ids, receivedAt, 0, first)
    unique += receivedAt.length - first - window.add(ids, receivedAt, first, receivedAt.length)
  }
  return unique
}

function keyOf({ project, minute }: MinuteTotals): string {
  return `${minute} ${project}`
}

function describe(totals: MinuteTotals | undefined): string {
  return totals ? `${totals.events} events, ${formatDecimal(totals.revenue)}` : 'nothing'
}
