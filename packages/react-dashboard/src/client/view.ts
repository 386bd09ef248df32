import type { Answer, QueryKind } from '@nowcast/protocol'
import type { Store } from './create-store.ts'
import type { NowcastError } from './nowcast-error.ts'

/** The answer to a query of one kind. */
export type AnswerOf<K extends QueryKind> = Extract<Answer, { kind: K }>

/** What a watcher of a query holds at one moment. */
export interface ViewState<A = Answer> {
  /**
   * `loading`: no answer yet; with `error`, the server cannot be reached. `live`: the answer is up to date.
   * `stale`: it was, and the client is trying again.
   * `error`: the query was refused; `data` is then the last answer, if there was one.
   */
  status: 'loading' | 'live' | 'stale' | 'error'
  data: A | undefined
  error: NowcastError | undefined
  /** When `data` last changed, by the browser's clock, epoch ms. */
  updatedAt: number | undefined
  /** Until when `data` is known to have been up to date, epoch ms; undefined while it is, and before there is any. */
  staleSince: number | undefined
}

/** A query as a store: watching it keeps it up to date. */
export type View<A = Answer> = Store<ViewState<A>>

/** The state of everything nobody has answered yet, also while rendering on a server. */
export const LOADING: ViewState<never> = Object.freeze({
  status: 'loading',
  data: undefined,
  error: undefined,
  updatedAt: undefined,
  staleSince: undefined,
})

/**
 * The state after a failure: what will be asked for again is stale or still loading, anything else an error.
 * `knownUntil`: until when the answer was up to date.
 */
export function failedState<A>(state: ViewState<A>, error: NowcastError, knownUntil?: number): ViewState<A> {
  const old = agedState(state, knownUntil)
  const hasData = state.data !== undefined
  if (error.code === 'network') return { ...old, status: hasData ? 'stale' : 'loading', error }
  return { ...old, status: hasData && error.retryable ? 'stale' : 'error', error }
}

/** The state once its answer may be old. */
export function agedState<A>(state: ViewState<A>, knownUntil = state.updatedAt): ViewState<A> {
  const staleSince = state.data === undefined ? undefined : (state.staleSince ?? knownUntil ?? Date.now())
  return { ...state, status: state.status === 'live' ? 'stale' : state.status, staleSince }
}
