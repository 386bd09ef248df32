import type { LiveDelta, LiveQuery } from '@nowcast/protocol'
import { canonicalKey } from './canonical-key.ts'
import type { Connection } from './create-connection.ts'
import type { NoticeQueue } from './create-notice-queue.ts'
import { createSharedViews, type Shared } from './create-shared-views.ts'
import { createSubscription, type Subscription } from './create-subscription.ts'
import { LOADING, type View, type ViewState } from './view.ts'

/** Gives equal queries one subscription, and every subscription what the socket says about it. */
export function createSubscriptions(connection: Connection, notices: NoticeQueue, lingerMs: number) {
  const subscriptions = new Set<Subscription>()
  const view = createSharedViews<ViewState>(lingerMs)

  connection.listen({
    opened: () => forAll((one) => one.ask()),
    lost: () => forAll((one) => one.lose()),
    failed: (error) => forAll((one) => one.fail(error)),
    delta: (delta) => forAll((one) => mayConcern(one, delta) && one.receive(delta)),
    snapshot: (next) => forAll((one) => one.id() === next.id && one.replace(next)),
    expired: (ids) => forAll((one) => ids.includes(one.id() ?? '') && one.lose()),
  })

  function forAll(act: (subscription: Subscription) => void) {
    for (const subscription of [...subscriptions]) act(subscription)
  }

  /** A delta can overtake the acknowledgement that tells its subscription's id. */
  function mayConcern(subscription: Subscription, delta: LiveDelta) {
    return subscription.id() === delta.id || (subscription.id() === undefined && subscription.isAsking())
  }

  function open(query: LiveQuery): Shared<ViewState> {
    const subscription = createSubscription(query, connection, notices)
    subscriptions.add(subscription)
    const release = connection.hold()
    if (connection.isOpen()) subscription.ask()
    return {
      store: subscription,
      close() {
        // An unsubscribe must not overtake the answer it belongs to: a new equal subscription would be ended by it.
        if (subscription.isAsking()) return false
        subscriptions.delete(subscription)
        subscription.stop()
        const id = subscription.id()
        if (id !== undefined && ![...subscriptions].some((one) => one.id() === id)) connection.unsubscribe(id)
        release()
        return true
      },
    }
  }

  return {
    /** The view of a query; watching it subscribes. */
    live: (query: LiveQuery): View => view(canonicalKey(query), LOADING, () => open(query)),
  }
}
