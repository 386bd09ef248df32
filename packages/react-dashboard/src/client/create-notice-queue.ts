/** Tells listeners that a store changed, all those of a moment together. */
export interface NoticeQueue {
  /** `notify` is called once at the next flush, however often it is added before. */
  add(notify: () => void): void
}

/** Makes a queue that flushes at most once in `everyMs`; a timer rather than a frame, since hidden tabs have none. */
export function createNoticeQueue(everyMs = 100): NoticeQueue {
  const waiting = new Set<() => void>()
  let timer: ReturnType<typeof setTimeout> | undefined
  let flushedAt = Number.NEGATIVE_INFINITY

  function flush() {
    timer = undefined
    flushedAt = performance.now()
    const due = [...waiting]
    waiting.clear()
    for (const notify of due) notify()
  }

  return {
    add(notify) {
      waiting.add(notify)
      if (timer === undefined) timer = setTimeout(flush, Math.max(0, flushedAt + everyMs - performance.now()))
    },
  }
}
