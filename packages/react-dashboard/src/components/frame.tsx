import type { ReactNode } from 'react'
import type { ViewState } from '../client/view.ts'
import { useNowcast } from '../hooks/nowcast-context.ts'

export interface FrameProps {
  /** Class of the kind of component, such as `nowcast-tile`. */
  kind: string
  /** The host's own class. */
  className?: string | undefined
  /** Becomes `data-status`, which dims what is stale. */
  status?: ViewState['status'] | undefined
  label?: string | undefined
  children: ReactNode
}

/** The element every component is drawn in: it carries the theme. */
export function Frame({ kind, className, status, label, children }: FrameProps) {
  const { theme } = useNowcast()
  return (
    <section
      className={['nowcast', kind, className].filter(Boolean).join(' ')}
      data-theme={theme === 'auto' ? undefined : theme}
      data-status={status}
      aria-label={label}
      aria-busy={status === 'loading'}
    >
      {children}
    </section>
  )
}
