import type { LiveQuery } from '@nowcast/protocol'
import type { AnswerOf, ViewState } from '../client/view.ts'
import { useNowcast } from './nowcast-context.ts'
import { type AskOptions, useFilteredKey } from './use-filtered-key.ts'
import { useView } from './use-view.ts'

/**
 * A query's answer, kept up to date by the server. Equal queries on a page share one subscription.
 *
 * @example const { data, status } = useLive({ kind: 'total', metric: 'revenue', range: { last: '24h' } })
 */
export function useLive<Q extends LiveQuery>(query: Q, options: AskOptions = {}): ViewState<AnswerOf<Q['kind']>> {
  const { client } = useNowcast()
  const key = useFilteredKey(query, options)
  return useView(() => client.live(JSON.parse(key) as Q), options.enabled ?? true, [client, key])
}
