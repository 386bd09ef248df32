import type { Compare } from '../chart/compared-series.ts'
import { useNowcast } from '../hooks/nowcast-context.ts'

export interface CompareMenuProps {
  value: Compare | undefined
  onChoose(value: Compare | undefined): void
}

/** What a chart is compared with. */
export function CompareMenu({ value, onChoose }: CompareMenuProps) {
  const { words } = useNowcast().labels
  return (
    <select
      className="nowcast-select"
      aria-label={words.compare}
      value={value ?? ''}
      onChange={({ target }) => onChoose(target.value === '' ? undefined : (target.value as Compare))}
    >
      <option value="">{words.compareNone}</option>
      <option value="day">{words.dayBefore}</option>
      <option value="week">{words.weekBefore}</option>
    </select>
  )
}
