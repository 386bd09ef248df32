import { createContext, useContext } from 'react'
import type { ChartModel } from './chart-model.ts'

/** What changes in a chart while its axes stay. */
interface ShownChartValue {
  model: ChartModel
  /** The tooltip is shown: of charts whose cursors move together, in the one that is pointed at. */
  isPointedAt: boolean
}

/** Brings to the lines and the tooltip of a chart what they show, past the library's own components. */
export const ShownChart = /* @__PURE__ */ createContext<ShownChartValue | undefined>(undefined)

/** What the chart around shows. */
export function useShownChart(): ShownChartValue {
  const shown = useContext(ShownChart)
  if (!shown) throw new Error('The lines of a chart are drawn inside it.')
  return shown
}
