import type { SeriesAnswer } from '@nowcast/protocol'
import { useEffect, useRef, useState } from 'react'
import { STRONG } from '../chart/anomaly-marks.ts'
import { closedCount } from '../chart/chart-path.ts'
import { shortValue } from '../format/format-value.ts'
import { METRIC_UNIT } from '../format/metric-unit.ts'
import { useNowcast } from '../hooks/nowcast-context.ts'

/** Tells a screen reader of a strongly unusual bucket when it is complete; of nothing else, so that it is heard. */
export function AnomalyAnnouncement({ answer }: { answer: SeriesAnswer }) {
  const { labels, locale } = useNowcast()
  const points = answer.series.length === 1 ? answer.series[0]!.points : []
  const newest = points[closedCount(points) - 1]
  const known = useRef(newest?.t)
  const [text, setText] = useState('')
  useEffect(() => {
    if (!newest || newest.t === known.current) return
    known.current = newest.t
    const { anomaly } = newest
    if (!anomaly || Math.abs(anomaly.score) < STRONG) return
    const { words, metrics } = labels
    const word = anomaly.score > 0 ? words.unusuallyHigh : words.unusuallyLow
    const style = { unit: METRIC_UNIT[answer.metric], locale, currency: answer.currency }
    setText(`${metrics[answer.metric]}: ${word}, ${shortValue(newest.v, style)}`)
  }, [newest, labels, locale, answer.metric, answer.currency])
  return (
    <p className="nowcast-sr" role="status">
      {text}
    </p>
  )
}
