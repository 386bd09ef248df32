import { useSyncExternalStore } from 'react'

const SECOND_MS = 1000
const listeners = new Set<() => void>()
let timer: ReturnType<typeof setInterval> | undefined
let now = 0

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  timer ??= setInterval(() => {
    now = Date.now()
    for (const one of [...listeners]) one()
  }, SECOND_MS)
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
}

function read(): number {
  if (timer === undefined || now === 0) now = Math.floor(Date.now() / SECOND_MS) * SECOND_MS
  return now
}

/** The time, moved on once a second for everybody together; 0 while rendering on a server. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, read, () => 0)
}
