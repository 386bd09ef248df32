import { listen } from './listen.ts'

/** Calls `onPage` for every page of history navigation (a new path), and for one that the browser brings back. */
export function watchPageViews(onPage: () => void): (() => void)[] {
  let { pathname } = location
  const check = () => {
    if (pathname === location.pathname) return
    pathname = location.pathname
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
