import type { HotFlush } from '../../ports/hot-store.ts'
import {
  cellName,
  groupKeys,
  groupOf,
  groupOfSecond,
  minuteKey,
  minuteMember,
  secondKey,
  secondMember,
  sketchKey,
} from './hot-keys.ts'
import type { LocalSketches } from './local-sketches.ts'

const MINUTE_MS = 60_000
/** A minute is kept so long after its end, s. */
const MINUTE_KEPT = 25 * 3600
/** A second is kept so long after its end, s. */
const SECOND_KEPT = 60

/** Keys and arguments of a script. */
export interface ScriptCall {
  keys: string[]
  args: (string | Buffer)[]
}

/** Field of a partition in the hashes of fences. */
export const fenceField = (epoch: number, partition: number) => `${epoch}:${partition}`

/** One call of `flush.lua` for each slot group, also for those to which nothing is added. */
export function flushArguments(flush: HotFlush, groups: number, sketches: LocalSketches): ScriptCall[] {
  const { epoch, partition, from, to, completeFrom } = flush
  const head = [
    fenceField(epoch, partition),
    String(from),
    String(to),
    completeFrom === undefined ? '' : String(Math.ceil(completeFrom / MINUTE_MS) * MINUTE_MS),
  ]
  const calls = Array.from({ length: groups }, (_, group) => {
    const { fence, begun, touched, touchedSeconds } = groupKeys(group)
    const keys = [fence, begun, touched, touchedSeconds]
    return { keys, minutes: [] as (string | Buffer)[], seconds: [] as string[], secondKeys: [] as string[] }
  })
  const counts = calls.map(() => ({ minutes: 0, seconds: 0 }))

  for (const { project, minute, cells } of flush.minutes) {
    const group = groupOf(project, minute, groups)
    const { keys, minutes: args } = calls[group] as (typeof calls)[0]
    ;(counts[group] as { minutes: number }).minutes++
    keys.push(minuteKey(group, project, minute))
    args.push(minuteMember(project, minute), String((minute + MINUTE_MS) / 1000 + MINUTE_KEPT), String(cells.length))
    for (const { cell, events, revenue, refunds, refundRevenue, users, sessions } of cells) {
      const name = cellName(cell)
      args.push(name, String(events), String(revenue), String(refunds), String(refundRevenue))
      for (const [kind, hashes] of [['users', users] as const, ['sessions', sessions] as const]) {
        const key = hashes.length > 0 ? sketchKey(group, project, minute, kind, name) : ''
        const elements = sketches.add(minute, key, hashes)
        args.push(elements)
        if (elements.length > 0) keys.push(key)
      }
    }
  }

  for (const [key, { project, second, cells }] of bySecond(flush)) {
    const group = groupOfSecond(project, second, groups)
    const { secondKeys, seconds: args } = calls[group] as (typeof calls)[0]
    ;(counts[group] as { seconds: number }).seconds++
    secondKeys.push(secondKey(group, project, second))
    args.push(key, String(second / 1000 + 1 + SECOND_KEPT), String(cells.length), ...cells.flat())
  }

  return calls.map(({ keys, secondKeys, minutes, seconds }, group) => ({
    keys: [...keys, ...secondKeys],
    args: [...head, String(counts[group]?.minutes), ...minutes, String(counts[group]?.seconds), ...seconds],
  }))
}

/** Seconds by their member, with names of cells and their events. */
function bySecond({ seconds }: HotFlush): Map<string, { project: string; second: number; cells: string[][] }> {
  const found = new Map<string, { project: string; second: number; cells: string[][] }>()
  for (const { second, cell, events } of seconds) {
    const member = secondMember(cell.project, second)
    let entry = found.get(member)
    if (!entry) {
      entry = { project: cell.project, second, cells: [] }
      found.set(member, entry)
    }
    entry.cells.push([cellName(cell), String(events)])
  }
  return found
}
