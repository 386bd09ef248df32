import type { ReactNode } from 'react'
import { longValue, shortValue, type ValueStyle } from '../format/format-value.ts'

/** A figure as a render slot gets it. */
export interface Figure {
  v: number
  /** In few characters, `~1.2M`. */
  text: string
  /** With all digits. */
  exactText: string
  /** Marked with `~` in the texts. */
  approximate: boolean
  /** ISO 4217, of money. */
  currency: string | undefined
}

/** Writes a figure in the host's own way. */
export type RenderFigure = (figure: Figure) => ReactNode

/** Gathers what a render slot gets. */
export function figureOf(v: number, style: ValueStyle, exact: string | undefined): Figure {
  const { approximate = false, currency } = style
  return { v, text: shortValue(v, style), exactText: longValue(v, style, exact), approximate, currency }
}

/** A figure in short, its exact value on hover; or as the host writes it. */
export function FigureValue({ figure, render }: { figure: Figure; render: RenderFigure | undefined }) {
  if (render) return <>{render(figure)}</>
  return (
    <span className="nowcast-figure" title={figure.exactText === figure.text ? undefined : figure.exactText}>
      {figure.text}
    </span>
  )
}
