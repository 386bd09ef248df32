import type { Query } from '@nowcast/protocol'
import { useMemo, useSyncExternalStore } from 'react'
import { type AnswerOf, LOADING, type ViewState } from '../client/view.ts'
import { useNowcast } from './nowcast-context.ts'
import { type FilterOptions, useFilteredKey } from './use-filtered-key.ts'

export interface UseQueryOptions extends FilterOptions {
  /** Time after an answer until the query is asked again, ms. @default never */
  refreshMs?: number
}

/**
 * A query's answer, asked over HTTP once or every `refreshMs`. No live connection is opened for it.
 *
 * @example const { data } = useQuery({ kind: 'breakdown', breakdown: 'browser', range: { last: '30d' } })
 */
export function useQuery<Q extends Query>(query: Q, options: UseQueryOptions = {}): ViewState<AnswerOf<Q['kind']>> {
  const { client } = useNowcast()
  const { refreshMs } = options
  const key = useFilteredKey(query, options)
  const view = useMemo(() => client.once(JSON.parse(key) as Q, refreshMs), [client, key, refreshMs])
  return useSyncExternalStore<ViewState<AnswerOf<Q['kind']>>>(view.subscribe, view.getSnapshot, () => LOADING)
}
