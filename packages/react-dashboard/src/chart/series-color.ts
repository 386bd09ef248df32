const COLORS = 10
const OTHERS = '(other)'

/** Colour of a chart's line by its place; what is left over is grey. */
export function seriesColor(index: number, key: string | null): string {
  return `var(--_nowcast-series-${key === OTHERS ? 'others' : (index % COLORS) + 1})`
}
