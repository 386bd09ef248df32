import { useMemo, useSyncExternalStore } from 'react'
import { LOADING, type View, type ViewState } from '../client/view.ts'

const initialState = () => LOADING
const IDLE: View<never> = { getSnapshot: initialState, subscribe: () => () => {} }

/** Reads a view, which is opened by being watched; a disabled one is never opened, and stays `loading`. */
export function useView<A>(open: () => View<A>, isEnabled: boolean, dependencies: readonly unknown[]): ViewState<A> {
  // biome-ignore lint/correctness/useExhaustiveDependencies: the caller names them, as for useMemo itself
  const view = useMemo((): View<A> => (isEnabled ? open() : IDLE), [isEnabled, ...dependencies])
  return useSyncExternalStore<ViewState<A>>(view.subscribe, view.getSnapshot, initialState)
}
