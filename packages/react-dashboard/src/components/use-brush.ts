import { type PointerEvent, useState } from 'react'
import { PLOT_LEFT_PX, PLOT_RIGHT_PX } from './plot-edges.ts'

/** Below this a drag was a click, px. */
const LEAST_PX = 6

/** A drag over a plot, px from the left edge of its element. */
export interface Brush {
  from: number
  to: number
}

/** Follows a drag over a plot, and tells the shares of the plot's width between which it ended. */
export function useBrush(isEnabled: boolean, onSelect: (fromShare: number, toShare: number) => void) {
  const [brush, setBrush] = useState<Brush>()

  function place(event: PointerEvent<HTMLElement>): number {
    const { left, width } = event.currentTarget.getBoundingClientRect()
    return Math.min(width - PLOT_RIGHT_PX, Math.max(PLOT_LEFT_PX, event.clientX - left))
  }

  const handlers = {
    onPointerDown(event: PointerEvent<HTMLElement>) {
      // A finger scrolls the page.
      if (!isEnabled || event.button !== 0 || event.pointerType === 'touch') return
      const from = place(event)
      event.currentTarget.setPointerCapture(event.pointerId)
      setBrush({ from, to: from })
    },
    onPointerMove(event: PointerEvent<HTMLElement>) {
      if (brush) setBrush({ ...brush, to: place(event) })
    },
    onPointerUp(event: PointerEvent<HTMLElement>) {
      if (!brush) return
      setBrush(undefined)
      const to = place(event)
      const width = event.currentTarget.clientWidth - PLOT_LEFT_PX - PLOT_RIGHT_PX
      const share = (px: number) => (px - PLOT_LEFT_PX) / width
      if (Math.abs(to - brush.from) >= LEAST_PX) onSelect(share(brush.from), share(to))
    },
    onPointerCancel: () => setBrush(undefined),
  }
  return { brush, handlers }
}
