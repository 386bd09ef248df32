import type { Answer, Query } from '@nowcast/protocol'
import { canonicalKey } from './canonical-key.ts'
import { createBackoff } from './create-backoff.ts'
import type { NoticeQueue } from './create-notice-queue.ts'
import { createSharedViews, type Shared } from './create-shared-views.ts'
import { createStore } from './create-store.ts'
import { errorFromCause } from './nowcast-error.ts'
import { failedState, LOADING, type View, type ViewState } from './view.ts'

const RETRY_MS = 1000

/** Gives equal one-shot queries one request, asked again every `refreshMs` while somebody watches. */
export function createOneShots(post: (query: Query) => Promise<Answer>, notices: NoticeQueue, lingerMs: number) {
  const view = createSharedViews<ViewState>(lingerMs)

  function open(query: Query, refreshMs: number | undefined): Shared<ViewState> {
    const store = createStore<ViewState>(LOADING, notices)
    const backoff = createBackoff(RETRY_MS)
    let refresh: ReturnType<typeof setTimeout> | undefined
    let closed = false

    async function ask() {
      try {
        const data = await post(query)
        if (closed) return
        backoff.reset()
        store.set({ status: 'live', data, error: undefined, updatedAt: Date.now(), staleSince: undefined })
        if (refreshMs !== undefined) refresh = setTimeout(ask, refreshMs)
      } catch (cause) {
        if (closed) return
        const error = errorFromCause(cause)
        store.set(failedState(store.getSnapshot(), error))
        if (error.retryable) backoff.schedule(ask)
      }
    }

    void ask()
    return {
      store,
      close() {
        closed = true
        clearTimeout(refresh)
        backoff.reset()
        return true
      },
    }
  }

  return {
    /** The view of a query; watching it asks. */
    once: (query: Query, refreshMs?: number): View =>
      view(`${refreshMs ?? ''} ${canonicalKey(query)}`, LOADING, () => open(query, refreshMs)),
  }
}
