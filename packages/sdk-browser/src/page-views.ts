import { listen } from './listen.ts'

/**
 * Calls `onPage` for every page of history navigation (a new path; with `hash`, a new fragment too), and for one that
 * the browser brings back from its back/forward cache.
 */
export function watchPageViews(onPage: () => void, hash?: boolean): (() => void)[] {
  const read = () => location.pathname + (hash ? location.hash : '')
  let last = read()
  const check = () => {
    const now = read()
    if (now === last) return
    last = now
    onPage()
  }
  const patch = (method: 'pushState' | 'replaceState') => {
    const original = history[method]
    const patched: typeof original = function (this: History, ...args) {
      original.apply(this, args)
      check()
    }
    history[method] = patched
    return () => {
      if (history[method] === patched) history[method] = original
    }
  }
  return [
    patch('pushState'),
    patch('replaceState'),
    listen(window, 'popstate', check),
    listen<PageTransitionEvent>(window, 'pageshow', (event) => {
      if (event.persisted) onPage()
    }),
  ]
}
