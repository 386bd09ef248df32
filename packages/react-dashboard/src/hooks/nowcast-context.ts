import type { Filters } from '@nowcast/protocol'
import { createContext, useContext } from 'react'
import type { Client } from '../client/create-client.ts'
import type { Labels } from '../labels.ts'

/** `auto` follows the system, unless an element around says otherwise with `data-theme`. */
export type Theme = 'auto' | 'light' | 'dark'

/** What the provider gives to everything inside it. */
export interface NowcastContextValue {
  client: Client
  theme: Theme
  labels: Labels
  /** BCP 47; undefined is the browser's. */
  locale: string | undefined
  /** Empty components say how to send an event. */
  hints: boolean
}

/** The filters that hold for every query inside the provider. */
export interface FiltersContextValue {
  /** Set by the host: the viewer can narrow them, not leave them. */
  fixed: Filters
  /** Chosen by the viewer. */
  chosen: Filters
  choose(chosen: Filters): void
}

export const NowcastContext = /* @__PURE__ */ createContext<NowcastContextValue | undefined>(undefined)
export const FiltersContext = /* @__PURE__ */ createContext<FiltersContextValue | undefined>(undefined)

function inside<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('Put this inside <NowcastProvider url="…" token={…}>.')
  return value
}

/** Client, theme, labels and locale of the provider around. */
export function useNowcast(): NowcastContextValue {
  return inside(useContext(NowcastContext))
}

/** The filters of the provider around. */
export function useFiltersContext(): FiltersContextValue {
  return inside(useContext(FiltersContext))
}
