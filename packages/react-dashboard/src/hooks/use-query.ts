import type { Query } from '@nowcast/protocol'
import type { AnswerOf, ViewState } from '../client/view.ts'
import { useNowcast } from './nowcast-context.ts'
import { type AskOptions, useFilteredKey } from './use-filtered-key.ts'
import { useView } from './use-view.ts'

export interface UseQueryOptions extends AskOptions {
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
  const { refreshMs, enabled = true } = options
  const key = useFilteredKey(query, options)
  return useView(() => client.once(JSON.parse(key) as Q, refreshMs), enabled, [client, key, refreshMs])
}
