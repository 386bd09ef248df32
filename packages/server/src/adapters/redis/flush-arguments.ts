import type { HotFlush, HotSet } from '../../ports/hot-store.ts'
import type { CellContent } from '../../window/minute-content.ts'
import type { CellDelta, SecondDelta } from '../../window/minute-delta.ts'
import {
  cellName,
  groupKeys,
  groupOf,
  groupOfSecond,
  minuteKey,
  minuteMember,
  type SketchKind,
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
  return callsOf(flush, groups, ({ minute, project, group }, content, keys) => {
    const name = cellName(content.cell)
    const elementsOf = (kind: SketchKind) => {
      const hashes = content[kind]
      const key = hashes.length > 0 ? sketchKey(group, project, minute, kind, name) : ''
      const elements = sketches.add(minute, key, hashes)
      if (elements.length > 0) keys.push(key)
      return elements
    }
    return [...sumsOf(content), elementsOf('users'), elementsOf('sessions')]
  }).map(({ head, minutes, seconds, keys }) => ({ keys, args: [...head, targetOf(flush), ...minutes, ...seconds] }))
}

/** One call of `set.lua` for each slot group, also for those in which nothing is set. */
export function setArguments(set: HotSet, groups: number): ScriptCall[] {
  const { reached = [] } = set
  const fences = reached.flatMap((each) => [fenceField(each.epoch, each.partition), String(each.offset)])
  const more = [targetOf(set), String(reached.length), ...fences]
  return callsOf(set, groups, ({ minute, project, group }, content, keys) => {
    const name = cellName(content.cell)
    const sketchOf = (kind: SketchKind) => {
      const sketch = content[kind]
      if (!sketch || sketch.isEmpty) return ''
      keys.push(sketchKey(group, project, minute, kind, name))
      return sketch.toRedis()
    }
    return [...sumsOf(content), sketchOf('users'), sketchOf('sessions')]
  }).map(({ head, minutes, seconds, keys }) => ({ keys, args: [...head, ...more, ...minutes, ...seconds] }))
}

const targetOf = ({ target }: HotFlush | HotSet) => (target === undefined ? '' : String(target))

/** Name and sums of a cell, as both scripts take them. */
const sumsOf = ({ cell, events, revenue, refunds, refundRevenue }: CellSums) => [
  cellName(cell),
  String(events),
  String(revenue),
  String(refunds),
  String(refundRevenue),
]

type CellSums = Pick<CellDelta | CellContent, 'cell' | 'events' | 'revenue' | 'refunds' | 'refundRevenue'>

interface MinuteOfGroup {
  group: number
  project: string
  minute: number
}

interface GroupCall {
  keys: string[]
  head: string[]
  minutes: (string | Buffer)[]
  seconds: string[]
}

/** What both scripts begin and end with; `argumentsOf` says what is to be told of a cell, and adds its keys. */
function callsOf<C>(
  change: ChangeOf<C>,
  groups: number,
  argumentsOf: (at: MinuteOfGroup, cell: C, keys: string[]) => (string | Buffer)[],
): GroupCall[] {
  const { epoch, partition, from, to, completeFrom } = change
  const calls = Array.from({ length: groups }, (_, group) => {
    const { fence, begun, touched, touchedSeconds } = groupKeys(group)
    const keys = [fence, begun, touched, touchedSeconds]
    return { keys, minutes: [] as (string | Buffer)[], seconds: [] as string[], secondKeys: [] as string[] }
  })
  const counts = calls.map(() => ({ minutes: 0, seconds: 0 }))

  for (const { project, minute, cells } of change.minutes) {
    const group = groupOf(project, minute, groups)
    const { keys, minutes: args } = calls[group] as (typeof calls)[0]
    ;(counts[group] as { minutes: number }).minutes++
    keys.push(minuteKey(group, project, minute))
    args.push(minuteMember(project, minute), String((minute + MINUTE_MS) / 1000 + MINUTE_KEPT), String(cells.length))
    for (const cell of cells) args.push(...argumentsOf({ group, project, minute }, cell, keys))
  }

  for (const [key, { project, second, cells }] of bySecond(change.seconds)) {
    const group = groupOfSecond(project, second, groups)
    const { secondKeys, seconds: args } = calls[group] as (typeof calls)[0]
    ;(counts[group] as { seconds: number }).seconds++
    secondKeys.push(secondKey(group, project, second))
    args.push(key, String(second / 1000 + 1 + SECOND_KEPT), String(cells.length), ...cells.flat())
  }

  return calls.map(({ keys, secondKeys, minutes, seconds }, group) => ({
    keys: [...keys, ...secondKeys],
    head: [
      fenceField(epoch, partition),
      String(from),
      String(to),
      completeFrom === undefined ? '' : String(Math.ceil(completeFrom / MINUTE_MS) * MINUTE_MS),
    ],
    minutes: [String(counts[group]?.minutes), ...minutes],
    seconds: [String(counts[group]?.seconds), ...seconds],
  }))
}

type ChangeOf<C> = Pick<HotFlush, 'epoch' | 'partition' | 'from' | 'to' | 'completeFrom' | 'seconds'> & {
  minutes: readonly { project: string; minute: number; cells: readonly C[] }[]
}

/** Seconds by their member, with names of cells and their events. */
function bySecond(
  seconds: readonly SecondDelta[],
): Map<string, { project: string; second: number; cells: string[][] }> {
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
