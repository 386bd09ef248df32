import type { Granularity } from '@nowcast/protocol'
import type { QueryParameters } from './query-parameters.ts'
import { type RolledMonth, splitByMonths } from './rolled-months.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
/** Rollups count time in seconds of 32 bits: until the last whole hour of it, 2106-02-07T06:00Z. */
const END_OF_TIME = Math.floor((2 ** 32 * 1000) / HOUR_MS) * HOUR_MS

/** The part of a range that events can lie in; empty (`from >= to`) for none. */
export function storableRange<T extends { from: number; to: number }>(range: T): T {
  return { ...range, from: Math.max(0, range.from), to: Math.min(END_OF_TIME, range.to) }
}

/** A stretch of time and what it is read from. */
export interface TimeSegment {
  source: 'raw' | 'minute' | 'hour' | 'rollups'
  /** Inclusive, epoch ms. */
  from: number
  /** Exclusive, epoch ms. */
  to: number
  /** Of `nowcast.rollups`: the months' copies. */
  copies?: string[]
}

export interface SegmentChoice {
  from: number
  to: number
  /** Only raw rows know what is asked for. */
  raw: boolean
  /** Buckets are made of whole UTC hours. */
  wholeHours: boolean
  /** Months that `nowcast.rollups` answers for; not with `raw`. @default none */
  rolled?: readonly RolledMonth[]
}

/**
 * Divides a range so that each part is read from the coarsest rollup that is exact for it: raw rows for the cut minutes
 * at its ends, minutes for the cut hours, hours between. Of months whose hours are all there is, an hour is whole, and
 * counts where it begins.
 */
export function timeSegments({ from, to, raw, wholeHours, rolled = [] }: SegmentChoice): TimeSegment[] {
  return splitByMonths({ from, to }, raw ? [] : rolled).flatMap((piece): TimeSegment[] =>
    piece.copies.length > 0 ? [{ source: 'rollups', ...piece }] : eventSegments({ ...piece, raw, wholeHours }),
  )
}

function eventSegments({ from, to, raw, wholeHours }: SegmentChoice): TimeSegment[] {
  if (raw) return [{ source: 'raw', from, to }]
  const segments = nest({ source: 'raw', from, to }, 'minute', MINUTE_MS)
  return wholeHours ? segments.flatMap((s) => (s.source === 'minute' ? nest(s, 'hour', HOUR_MS) : [s])) : segments
}

/** The whole units inside a segment become a segment of their own. */
function nest(outer: TimeSegment, source: TimeSegment['source'], unitMs: number): TimeSegment[] {
  const from = Math.ceil(outer.from / unitMs) * unitMs
  const to = Math.floor(outer.to / unitMs) * unitMs
  if (from >= to) return [outer]
  const parts: TimeSegment[] = [
    { ...outer, to: from },
    { source, from, to },
    { ...outer, from: to },
  ]
  return parts.filter((part) => part.from < part.to)
}

/** The time that a source's rows have. */
const TIME_SQL = { raw: 'ts', minute: 'toStartOfMinute(ts)', hour: 'toStartOfHour(ts)', rollups: 'hour' } as const

/** The condition of a segment. A rollup is used only when its own time is filtered on. */
export function segmentSql({ source, from, to, copies }: TimeSegment, parameters: QueryParameters): string {
  const time = TIME_SQL[source]
  const at = (ms: number) =>
    source === 'raw'
      ? `fromUnixTimestamp64Milli(${parameters.add(ms, 'Int64')}, 'UTC')`
      : `toDateTime(${parameters.add(Math.ceil(ms / 1000), 'UInt32')}, 'UTC')`
  const within = `${time} >= ${at(from)} AND ${time} < ${at(to)}`
  return copies ? `copy IN ${parameters.add(copies, 'Array(String)')} AND ${within}` : within
}

/** The table that a segment is read from. */
export function tableOf({ source }: TimeSegment): string {
  return source === 'rollups' ? 'nowcast.rollups' : 'nowcast.events'
}

export interface Bucketing {
  /** Undefined for one bucket over everything. */
  granularity: Granularity | undefined
  timezone: string
  wholeHours: boolean
}

/** Start of the bucket of a segment's rows, in epoch seconds. */
export function bucketSql(segment: TimeSegment, bucketing: Bucketing, parameters: QueryParameters): string {
  const time = TIME_SQL[segment.source]
  const zone = () => parameters.add(bucketing.timezone, 'String')
  switch (bucketing.granularity) {
    case undefined:
      return '0'
    case 'minute':
      return segment.source === 'raw' ? 'toUnixTimestamp(toStartOfMinute(ts))' : `toUnixTimestamp(${time})`
    case 'hour':
      if (segment.source === 'hour') return `toUnixTimestamp(${time})`
      if (bucketing.wholeHours) return `toUnixTimestamp(toStartOfHour(${time}))`
      return localHourSql(`toUnixTimestamp(${time})`, zone())
    case 'day':
      return `toUnixTimestamp(toStartOfDay(${time}, ${zone()}))`
  }
}

/**
 * Start of the hour on a zone's clocks, in epoch seconds. ClickHouse's `toStartOfHour(time, zone)` errs on the days when
 * Lord Howe Island's clocks turn by half an hour, which cuts an hour in two: on quarters of it, in UTC.
 */
function localHourSql(seconds: string, zone: string): string {
  const offset = (at: string) => `timezoneOffset(toDateTime(${at}, ${zone}))`
  const start = `(${seconds} - (${seconds} + ${offset(seconds)}) % 3600)`
  const from = [0, 900, 1800].map((later) => `${start} + ${later}`)
  const choices = from.map((at) => `${offset(at)} = ${offset(seconds)}, ${at}`)
  return `multiIf(${choices.join(', ')}, ${start} + 2700)`
}
