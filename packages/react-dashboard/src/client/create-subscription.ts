import type { Answer, LiveDelta, LiveQuery, LiveSnapshot, ResumeAck, SubscribeAck } from '@nowcast/protocol'
import { applyDelta, type Keep } from './apply-delta.ts'
import { createBackoff } from './create-backoff.ts'
import type { Connection } from './create-connection.ts'
import type { NoticeQueue } from './create-notice-queue.ts'
import { createStore } from './create-store.ts'
import { keepOf } from './keep-of.ts'
import { errorFromBody, errorFromCause, type NowcastError } from './nowcast-error.ts'
import { agedState, failedState, LOADING, type View, type ViewState } from './view.ts'

/** One watched query: its snapshot, and the deltas merged into it. */
export interface Subscription extends View {
  /** The server's id, which equal queries share; undefined before the first answer. */
  id(): string | undefined
  /** A request is on its way. */
  isAsking(): boolean
  /** Asks for the snapshot, or for what was missed since the last revision. */
  ask(): void
  /** The figures may be old until `ask` is answered. */
  lose(): void
  /** Nothing can be asked for this reason. */
  fail(error: NowcastError): void
  receive(delta: LiveDelta): void
  replace(snapshot: LiveSnapshot): void
  stop(): void
}

const RETRY_MS = 1000

/** Makes a subscription; it does nothing until `ask`. */
export function createSubscription(query: LiveQuery, connection: Connection, notices: NoticeQueue): Subscription {
  const store = createStore<ViewState>(LOADING, notices)
  const backoff = createBackoff(RETRY_MS)
  let id: string | undefined
  let revision = 0
  let keep: Keep = { buckets: 0, events: 0 }
  let attempt = 0
  let asking = false
  /** Deltas that arrived during a request, and may belong after its answer. */
  let waiting: LiveDelta[] = []

  function show(data: Answer) {
    store.set({ status: 'live', data, error: undefined, updatedAt: Date.now(), staleSince: undefined })
  }

  function fail(error: NowcastError) {
    store.set(failedState(store.getSnapshot(), error, connection.heardAt()))
    if (error.retryable && connection.isOpen()) backoff.schedule(ask)
  }

  function ask() {
    const own = ++attempt
    const from = revision
    asking = true
    const request: Promise<SubscribeAck | ResumeAck> =
      id === undefined ? connection.requestSubscribe(query) : connection.requestResume(id, from)
    request.then(
      (ack) => {
        if (own === attempt) settle(ack, from)
      },
      (cause) => {
        if (own !== attempt) return
        asking = false
        fail(errorFromCause(cause))
      },
    )
  }

  function settle(ack: SubscribeAck | ResumeAck, from: number) {
    asking = false
    if ('error' in ack) {
      if (id === undefined || ack.error.code !== 'not_found') return fail(errorFromBody(ack, 'internal', ''))
      return startOver()
    }
    backoff.reset()
    if ('snapshot' in ack) replace(ack)
    else {
      const state = store.getSnapshot()
      if (state.data) store.set({ ...state, status: 'live', error: undefined, staleSince: undefined })
      for (const delta of ack.deltas) if (!asking) receive(delta)
    }
    const later = waiting.filter((delta) => delta.id === id).sort((a, b) => a.revision - b.revision)
    waiting = []
    // A server that neither has the missing deltas nor says so would be asked for ever.
    if (!('snapshot' in ack) && revision === from && later.some((delta) => delta.revision > from + 1)) startOver()
    else for (const delta of later) receive(delta)
  }

  function startOver() {
    id = undefined
    ask()
  }

  function receive(delta: LiveDelta) {
    const { data } = store.getSnapshot()
    if (asking) waiting.push(delta)
    else if (delta.revision <= revision || !data) return
    else if (delta.revision > revision + 1) {
      waiting.push(delta)
      ask()
    } else {
      revision = delta.revision
      show(applyDelta(data, delta, keep))
    }
  }

  function replace(snapshot: LiveSnapshot) {
    id = snapshot.id
    revision = snapshot.revision
    keep = keepOf(query, snapshot.snapshot)
    show(snapshot.snapshot)
  }

  return {
    getSnapshot: store.getSnapshot,
    subscribe: store.subscribe,
    id: () => id,
    isAsking: () => asking,
    ask,
    lose() {
      attempt++
      asking = false
      waiting = []
      backoff.reset()
      const state = store.getSnapshot()
      if (state.status === 'live') store.set(agedState(state, connection.heardAt()))
    },
    fail,
    receive,
    replace,
    stop() {
      attempt++
      asking = false
      backoff.reset()
    },
  }
}
