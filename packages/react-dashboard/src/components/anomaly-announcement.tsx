import type { Point, SeriesAnswer } from '@nowcast/protocol'
import { useEffect, useRef, useState } from 'react'
import { STRONG } from '../chart/anomaly-marks.ts'
import { closedCount } from '../chart/chart-path.ts'
import { shortValue } from '../format/format-value.ts'
import { METRIC_UNIT } from '../format/metric-unit.ts'
import { useNowcast } from '../hooks/nowcast-context.ts'
import { createAnnouncer } from './announcer.ts'

/** One for all charts of a page, whichever provider they are in: it is one person who listens. */
const announce = /* @__PURE__ */ createAnnouncer()

/** 1 for a strongly unusual high, -1 for a low, 0 for anything else. */
function strongSign(point: Point | undefined): number {
  const score = point?.anomaly?.score ?? 0
  return Math.abs(score) >= STRONG ? Math.sign(score) : 0
}

/** Tells a screen reader when complete buckets begin to be strongly unusual; of nothing else, so that it is heard. */
export function AnomalyAnnouncement({ answer }: { answer: SeriesAnswer }) {
  const { labels, locale } = useNowcast()
  const points = answer.series.length === 1 ? answer.series[0]!.points : []
  const closed = closedCount(points)
  const newest = points[closed - 1]
  const known = useRef({ t: newest?.t ?? Number.NEGATIVE_INFINITY, sign: strongSign(newest) })
  const takeBack = useRef<() => void>(undefined)
  const [text, setText] = useState('')
  useEffect(() => () => takeBack.current?.(), [])
  useEffect(() => {
    if (!newest || newest.t <= known.current.t) return
    let isBeginning = false
    for (const point of points.slice(0, closed)) {
      if (point.t <= known.current.t) continue
      const sign = strongSign(point)
      isBeginning = sign !== 0 && (isBeginning || sign !== known.current.sign)
      known.current = { t: point.t, sign }
    }
    setText('')
    if (!isBeginning) return
    const { words, metrics } = labels
    const word = known.current.sign > 0 ? words.unusuallyHigh : words.unusuallyLow
    const style = { unit: METRIC_UNIT[answer.metric], locale, currency: answer.currency }
    takeBack.current = announce(`${metrics[answer.metric]}: ${word}, ${shortValue(newest.v, style)}`, setText)
  }, [newest, points, closed, labels, locale, answer.metric, answer.currency])
  return (
    <p className="nowcast-sr" role="status">
      {text}
    </p>
  )
}
