import type { Point, Query, SeriesAnswer } from '@nowcast/protocol'
import { useMemo } from 'react'
import { type Compare, comparedPoints, comparedRange } from '../chart/compared-series.ts'
import { useQuery } from '../hooks/use-query.ts'
import type { ChartModel } from './chart-model.ts'

const NOT_YET: Point[] = []

/** The figures of a day or a week before, at the times of an answer's buckets; without points until they are there. */
export function useComparison(
  query: Query,
  answer: SeriesAnswer | undefined,
  compare: Compare | undefined,
): ChartModel['compared'] {
  const points = answer?.series.length === 1 ? answer.series[0]!.points : undefined
  const from = points?.[0]?.t ?? 0
  const to = points?.at(-1)?.t ?? 0
  const isAsked = compare !== undefined && points !== undefined && points.length > 0
  const range = comparedRange(from, to, compare ?? 'day')
  const { data } = useQuery({ ...query, range, anomalies: undefined }, { enabled: isAsked })
  const before = data?.kind === 'series' ? data.series[0]?.points : undefined
  const timezone = answer?.timezone ?? 'UTC'
  return useMemo(
    () =>
      compare && isAsked
        ? { with: compare, points: before ? comparedPoints(before, from, to, compare, timezone) : NOT_YET }
        : undefined,
    [compare, before, isAsked, from, to, timezone],
  )
}
