import type { Change } from '../format/change-of.ts'
import { useNowcast } from '../hooks/nowcast-context.ts'

export interface ChangeNoteProps {
  change: Change
  /** What the change is measured against. */
  against: string
  /** The value before, with all its digits. */
  before: string
  /** Less is better, as with errors. */
  isLessBetter: boolean
}

const ARROWS: Record<Change['direction'], string> = { up: 'M1 8 5 2l4 6z', down: 'M1 2l4 6 4-6z', same: 'M1 4h8v2H1z' }

/** The change since the period before, in a word as well as in colour. */
export function ChangeNote({ change: { direction, amount }, against, before, isLessBetter }: ChangeNoteProps) {
  const { words } = useNowcast().labels
  const word = { up: words.up, down: words.down, same: words.noChange }[direction]
  const tone = direction === 'same' ? 'even' : (direction === 'up') === isLessBetter ? 'bad' : 'good'
  return (
    <p className="nowcast-change">
      <span className="nowcast-change-amount" data-direction={direction} data-tone={tone}>
        <svg viewBox="0 0 10 10" aria-hidden="true">
          <path d={ARROWS[direction]} />
        </svg>
        {word} {amount}
      </span>{' '}
      <span className="nowcast-change-against" title={before}>
        {against}
      </span>
    </p>
  )
}
