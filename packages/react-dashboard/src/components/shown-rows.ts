import type { BreakdownRow } from '@nowcast/protocol'

/**
 * The rows that say something: values without any of the metric are left out, unless all are. One that is filtered by
 * stays, since a click on it ends that.
 */
export function shownRows(rows: readonly BreakdownRow[], isChosen: (key: string) => boolean): readonly BreakdownRow[] {
  if (rows.every(({ v }) => v === 0)) return rows
  return rows.filter(({ key, v }) => v !== 0 || isChosen(key))
}
