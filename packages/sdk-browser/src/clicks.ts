import { listen } from './listen.ts'

/** Calls `onClick` with the event name of the clicked element, or of the one it is inside: `data-nowcast-event`. */
export const watchClicks = (onClick: (name: string) => void) =>
  listen(document, 'click', ({ target }) => {
    const element = (target as Partial<Element>).closest?.('[data-nowcast-event]')
    if (element) onClick(element.getAttribute('data-nowcast-event') || 'click')
  })
