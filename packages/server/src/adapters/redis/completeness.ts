const MINUTE_MS = 60_000
/** A minute expires so long after its end. */
const KEPT_MS = 25 * 3_600_000

/** What one slot group knows of the partitions, as `read-changes.lua` tells it. */
export interface GroupState {
  /** Epoch of the log that was begun last; undefined in an empty group. */
  epoch: string | undefined
  /** The server's time, epoch ms: by it minutes expire. */
  now: number
  /** That of the last change; 0 in an empty group. */
  revision: number
  /** By "<log epoch>:<partition>". */
  fences: ReadonlyMap<string, number>
  begun: ReadonlyMap<string, { target: number; completeFrom: number }>
}

/**
 * From which minute on windows hold all their events (epoch ms); Infinity until every partition of the log that was
 * begun last has reached its target in every group.
 */
export function completeSinceOf(states: readonly GroupState[], partitions: number): number {
  let since = 0
  const [epoch] = states.map((state) => state.epoch)
  for (const state of states) {
    if (epoch === undefined || state.epoch !== epoch) return Number.POSITIVE_INFINITY
    for (let partition = 0; partition < partitions; partition++) {
      const field = `${epoch}:${partition}`
      const offset = state.fences.get(field)
      const begun = state.begun.get(field)
      if (offset === undefined || begun === undefined || offset < begun.target) return Number.POSITIVE_INFINITY
    }
    since = Math.max(since, Math.ceil((state.now - KEPT_MS) / MINUTE_MS) * MINUTE_MS)
    // Of earlier logs too: what they lacked is still missing.
    for (const { completeFrom } of state.begun.values()) since = Math.max(since, completeFrom)
  }
  return since
}

/** Reads the two hashes. @param now the server's time, epoch ms */
export function toGroupState(fence: readonly string[], begun: readonly string[], now: number): GroupState {
  let epoch: string | undefined
  let revision = 0
  const fences = new Map<string, number>()
  for (let i = 0; i < fence.length; i += 2) {
    const field = fence[i] as string
    if (field === 'epoch') epoch = fence[i + 1]
    else if (field === 'revision') revision = Number(fence[i + 1])
    else fences.set(field, Number(fence[i + 1]))
  }
  const begunByField = new Map<string, { target: number; completeFrom: number }>()
  for (let i = 0; i < begun.length; i += 2) {
    const [target, completeFrom] = (begun[i + 1] as string).split(' ')
    begunByField.set(begun[i] as string, { target: Number(target), completeFrom: Number(completeFrom) })
  }
  return { epoch, now, revision, fences, begun: begunByField }
}
