import type { Filters } from '@nowcast/protocol'
import { type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { canonicalKey } from '../client/canonical-key.ts'
import { createClient } from '../client/create-client.ts'
import type { TokenInput } from '../client/create-token-source.ts'
import { type LabelOverrides, mergeLabels } from '../labels.ts'
import { FiltersContext, NowcastContext, type Theme } from './nowcast-context.ts'

/** Which server, who reads, and what holds for everything inside. */
export interface NowcastProviderProps {
  /** The server's base url, with the path it is mounted at: `https://host/analytics`. */
  url: string
  /** A read token, or a function that fetches one from your backend. For another user, give the provider a new `key`. */
  token: TokenInput
  /** Hold for every query inside; the viewer can narrow them, not leave them. @default {} */
  filters?: Filters
  /** @default 'auto' */
  theme?: Theme
  /** Other words for some labels. */
  labels?: LabelOverrides
  /** BCP 47, for numbers, dates and names of countries. @default the browser's */
  locale?: string
  /** Empty components say how to send an event; switch it off where the viewers are not those who do. @default true */
  hints?: boolean
  /** What the viewer has chosen when the page opens, such as what its address says. @default {} */
  defaultChosen?: Filters
  /** Called with the viewer's choice after each change. */
  onChosenChange?: (chosen: Filters) => void
  children?: ReactNode
}

const NO_FILTERS: Filters = {}

/** Connects everything inside it to one Nowcast server. It renders nothing of its own. */
export function NowcastProvider(props: NowcastProviderProps) {
  const { url, token, filters = NO_FILTERS, theme = 'auto', labels, locale, hints = true, children } = props
  const tokenNow = useRef(token)
  useEffect(() => {
    tokenNow.current = token
  })
  const tokenText = typeof token === 'string' ? token : undefined
  // A function is read when it is called, so that an inline one does not make a new connection at each render.
  const client = useMemo(() => {
    const fetchToken = async () => {
      const current = tokenNow.current
      return typeof current === 'string' ? current : current()
    }
    return createClient({ url, token: tokenText ?? fetchToken })
  }, [url, tokenText])

  const labelsKey = JSON.stringify(labels ?? {})
  const nowcast = useMemo(
    () => ({ client, theme, labels: mergeLabels(JSON.parse(labelsKey) as LabelOverrides), locale, hints }),
    [client, theme, labelsKey, locale, hints],
  )
  const [chosen, setChosen] = useState(props.defaultChosen ?? NO_FILTERS)
  const onChosenChange = useRef(props.onChosenChange)
  useEffect(() => {
    onChosenChange.current = props.onChosenChange
  })
  const choose = useCallback((next: Filters) => {
    setChosen(next)
    onChosenChange.current?.(next)
  }, [])
  const fixedKey = canonicalKey({ filters })
  const filtering = useMemo(() => {
    const { filters: fixed = NO_FILTERS } = JSON.parse(fixedKey) as { filters?: Filters }
    return { fixed, chosen, choose }
  }, [fixedKey, chosen, choose])

  return (
    <NowcastContext.Provider value={nowcast}>
      <FiltersContext.Provider value={filtering}>{children}</FiltersContext.Provider>
    </NowcastContext.Provider>
  )
}
