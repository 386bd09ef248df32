import { listen } from './listen.ts'

/** Errors of one page that are tracked at most: one in a loop would drown everything else. */
const ERRORS_PER_PAGE = 20

/** What an `error` event says. */
export interface CaughtError {
  message: string
  stack?: string
  source?: string
  line?: number
  column?: number
}

/** Calls `onCaught` with uncaught exceptions and rejections, each once a page. */
export function watchErrors(onCaught: (error: CaughtError) => void): (() => void)[] {
  const caught = new Set<string>()
  const onError = (event: ErrorEvent & PromiseRejectionEvent) => {
    const cause = event.error || event.reason
    // Images and scripts that did not load come here too, without either.
    if (!cause && !event.message) return
    const message = String(cause?.message || cause || event.message).slice(0, 500)
    const stack = cause?.stack && String(cause.stack).slice(0, 2000)
    const seen = message + stack + event.lineno
    if (caught.has(seen) || caught.size >= ERRORS_PER_PAGE) return
    caught.add(seen)
    onCaught({ message, stack, source: event.filename, line: event.lineno, column: event.colno })
  }
  return [listen(window, 'error', onError), listen(window, 'unhandledrejection', onError)]
}
