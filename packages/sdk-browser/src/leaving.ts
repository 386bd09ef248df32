import { listen } from './listen.ts'

/** Calls `onLeave` when the page is hidden or unloaded: the last moments at which it is sure to run. */
export function watchLeaving(onLeave: () => void): (() => void)[] {
  return [
    listen(document, 'visibilitychange', () => {
      if (document.visibilityState === 'hidden') onLeave()
    }),
    listen(window, 'pagehide', onLeave),
  ]
}
