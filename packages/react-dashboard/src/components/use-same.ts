import { useRef } from 'react'

/** The list, or the one before while it has the same elements: what is computed from it need not be again. */
export function useSame<T>(list: readonly T[]): readonly T[] {
  const before = useRef(list)
  const isSame = before.current.length === list.length && list.every((element, i) => element === before.current[i])
  if (!isSame) before.current = list
  return before.current
}
