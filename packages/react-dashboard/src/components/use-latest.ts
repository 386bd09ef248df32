import { useRef } from 'react'

/** The value, or while there is none the last one: a chart stays, dimmed, until the next has come. */
export function useLatest<T>(value: T | undefined): T | undefined {
  const latest = useRef(value)
  if (value !== undefined) latest.current = value
  return latest.current
}
