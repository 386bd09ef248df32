import type { LiveQuery } from '@nowcast/protocol'
import { useMemo, useSyncExternalStore } from 'react'
import { type AnswerOf, LOADING, type ViewState } from '../client/view.ts'
import { useNowcast } from './nowcast-context.ts'
import { type FilterOptions, useFilteredKey } from './use-filtered-key.ts'

/**
 * A query's answer, kept up to date by the server. Equal queries on a page share one subscription.
 *
 * @example const { data, status } = useLive({ kind: 'total', metric: 'revenue', range: { last: '24h' } })
 */
export function useLive<Q extends LiveQuery>(query: Q, options: FilterOptions = {}): ViewState<AnswerOf<Q['kind']>> {
  const { client } = useNowcast()
  const key = useFilteredKey(query, options)
  const view = useMemo(() => client.live(JSON.parse(key) as Q), [client, key])
  return useSyncExternalStore<ViewState<AnswerOf<Q['kind']>>>(view.subscribe, view.getSnapshot, () => LOADING)
}
