import type { Metric, Range } from '@nowcast/protocol'
import { useState } from 'react'
import { useNowcast } from '../hooks/nowcast-context.ts'
import { Breakdown } from './breakdown.tsx'

export interface BreakdownTabsProps {
  dimensions: readonly string[]
  metric: Metric
  range: Range
}

/** One breakdown at a time of some dimensions that belong together. */
export function BreakdownTabs({ dimensions, metric, range }: BreakdownTabsProps) {
  const { labels } = useNowcast()
  const [chosen, setChosen] = useState(dimensions[0]!)
  const tabs = (
    <span className="nowcast-tabs">
      {dimensions.map((dimension) => (
        <button key={dimension} type="button" aria-pressed={dimension === chosen} onClick={() => setChosen(dimension)}>
          {labels.dimensions[dimension] ?? dimension}
        </button>
      ))}
    </span>
  )
  return <Breakdown dimension={chosen} metric={metric} range={range} title={tabs} />
}
