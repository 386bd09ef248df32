import type { ReactNode } from 'react'
import type { ViewState } from '../client/view.ts'
import { useNowcast } from '../hooks/nowcast-context.ts'
import { StaleNote } from './stale-note.tsx'

export interface FrameProps {
  /** Class of the kind of component, such as `nowcast-tile`. */
  kind: string
  /** The host's own class. */
  className?: string | undefined
  /** Its status becomes `data-status`, which dims what is stale; what is stale says since when. */
  state?: Pick<ViewState, 'status' | 'staleSince'> | undefined
  /** What is shown belongs to the question before, until the next answer comes. */
  isWaiting?: boolean
  label?: string | undefined
  children: ReactNode
}

/** The element every component is drawn in: it carries the theme. */
export function Frame({ kind, className, state, isWaiting = false, label, children }: FrameProps) {
  const { theme } = useNowcast()
  const isBehind = isWaiting && state?.status === 'loading'
  return (
    <section
      className={['nowcast', kind, className].filter(Boolean).join(' ')}
      data-theme={theme === 'auto' ? undefined : theme}
      data-status={isBehind ? 'stale' : state?.status}
      aria-label={label}
      aria-busy={state && state.status === 'loading'}
    >
      {children}
      {state?.staleSince !== undefined && <StaleNote since={state.staleSince} />}
    </section>
  )
}
