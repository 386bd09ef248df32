import type { Stretch } from '../../ports/event-store.ts'
import type { ClickHouseConnection } from './clickhouse-connection.ts'

/** What became of a month that is old. */
export interface OldMonth extends Stretch {
  month: number
  /** Which copy of the month in `nowcast.rollups` counts; '' while it is announced. */
  copy: string
  /**
   * How far the month is: ingestion is to refuse its events once it is `announced`, questions read its hours from `copied`
   * on, its events are deleted from `dropped` on, and its hours too from `forgotten` on.
   */
  step: 'announced' | 'copied' | 'dropped' | 'forgotten'
  /** Events and revenue of the copy. */
  events: string
  revenue: string
  /** How long ago it was announced the last time, and copied the first time, by the store's clock, ms. */
  announcedForMs: number
  copiedForMs: number
}

/** A month whose hours answer in place of its events. */
export type RolledMonth = OldMonth & { step: 'copied' | 'dropped' | 'forgotten' }

/** An announcement that nothing followed lapses, ms: whoever made it may have been given another configuration. */
export const ANNOUNCED_MS = 24 * 3_600_000

export function isRolledUp(month: OldMonth): month is RolledMonth {
  return month.step !== 'announced'
}

/** Start of the first month whose events are taken, epoch ms. */
export function keptFrom(months: readonly OldMonth[]): number {
  const refused = months.filter((month) => isRolledUp(month) || month.announcedForMs < ANNOUNCED_MS)
  return refused.reduce((end, { to }) => Math.max(end, to), 0)
}

/** The month, as ClickHouse names its part: `202601`. */
export function monthOf(ms: number): number {
  const date = new Date(ms)
  return date.getUTCFullYear() * 100 + date.getUTCMonth() + 1
}

/** The month as a stretch of time. */
export function monthStretch(month: number): Stretch {
  const year = Math.floor(month / 100)
  return { from: Date.UTC(year, (month % 100) - 1), to: Date.UTC(year, month % 100) }
}

/**
 * What became of old months, oldest first. Several processes may have copied a month, each all of it: the copy by which
 * events were dropped counts, else the earliest. That cannot change any more once a copy is older than any statement that
 * may still be running.
 */
export async function readOldMonths(connection: ClickHouseConnection): Promise<OldMonth[]> {
  const first = (column: string) => `argMinIf(${column}, (step = 'copied', at, copy), step != 'announced')`
  const since = (at: string) => `toString(toUnixTimestamp64Milli(now64(3)) - toUnixTimestamp64Milli(${at}))`
  const sql = `SELECT month, ${first('copy')}, toString(max(step)), toString(${first('events')}),
  toString(${first('revenue')}), ${since("maxIf(at, step = 'announced')")}, ${since("minIf(at, step != 'announced')")}
FROM nowcast.rolled_months
GROUP BY month
ORDER BY month`
  const rows = await connection.rows<[number, string, OldMonth['step'], string, string, string, string]>(sql, {
    doing: 'reading which months are rolled up',
  })
  return rows.map(([month, copy, step, events, revenue, announced, copied]) => ({
    ...{ month, copy, step, events, revenue, announcedForMs: Number(announced), copiedForMs: Number(copied) },
    ...monthStretch(month),
  }))
}

/** Those of them whose hours answer. */
export async function readRolledMonths(connection: ClickHouseConnection): Promise<RolledMonth[]> {
  return (await readOldMonths(connection)).filter(isRolledUp)
}

/** Keeps what {@link readOldMonths} read for `staleMs`, which is much less than the time between the steps. */
export function createOldMonths(connection: ClickHouseConnection, staleMs: number): () => Promise<OldMonth[]> {
  let readAt = Number.NEGATIVE_INFINITY
  let known: Promise<OldMonth[]> = Promise.resolve([])
  return () => {
    if (performance.now() - readAt < staleMs) return known
    readAt = performance.now()
    known = readOldMonths(connection)
    known.catch(() => {
      readAt = Number.NEGATIVE_INFINITY
    })
    return known
  }
}

/** A stretch, and the copies that answer for it; none where its events do. */
export interface MonthPiece extends Stretch {
  copies: string[]
}

/** Cuts a range where its source changes. */
export function splitByMonths(range: Stretch, rolled: readonly RolledMonth[]): MonthPiece[] {
  const pieces: MonthPiece[] = []
  let at = range.from
  for (const month of rolled) {
    const from = Math.max(at, month.from)
    const to = Math.min(range.to, month.to)
    if (from >= to) continue
    if (at < from) pieces.push({ from: at, to: from, copies: [] })
    const before = pieces.at(-1)
    if (before && before.copies.length > 0 && before.to === from) {
      before.to = to
      before.copies.push(month.copy)
    } else pieces.push({ from, to, copies: [month.copy] })
    at = to
  }
  if (at < range.to) pieces.push({ from: at, to: range.to, copies: [] })
  return pieces
}
