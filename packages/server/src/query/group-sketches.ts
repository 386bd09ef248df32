import type { RegisterSink } from '../sketch/hyperloglog.ts'
import { RegisterUnion } from '../sketch/register-union.ts'
import type { MinuteWindow } from '../window/minute-window.ts'
import { type CellSelection, PURCHASE } from './cell-selection.ts'

/** What is counted once: the users of a question's cells, those of its purchases, or their sessions. */
export type SketchKind = 'users' | 'buyers' | 'sessions'

/** The distinct elements of a stretch of time, one sketch for each group of a selection. */
export interface GroupSketches {
  readonly groups: Iterable<number>
  pour(group: number, sink: RegisterSink): void
}

/** Bytes of the object, its map and its array beside the registers, about. */
const OBJECT_BYTES = 300
const GROUP_BYTES = 60

const union = new RegisterUnion()
let scratch = new Uint32Array(1024)

/** Those of a minute as its cells hold them, to be read at once. */
export function windowSketches(window: MinuteWindow, kind: SketchKind, selection: CellSelection): GroupSketches {
  const { mask, group, nameClass } = selection
  const sketches = window.sketches(kind === 'sessions' ? 'sessions' : 'users')
  const placesByGroup = new Map<number, number[]>()
  for (let place = 0; place < sketches.ids.length; place++) {
    const id = sketches.ids[place] as number
    if (!mask[id] || (kind === 'buyers' && nameClass[id] !== PURCHASE)) continue
    const places = placesByGroup.get(group[id] as number)
    if (places) places.push(place)
    else placesByGroup.set(group[id] as number, [place])
  }
  return {
    groups: placesByGroup.keys(),
    pour(wanted, sink) {
      for (const place of placesByGroup.get(wanted) ?? []) sketches.pour(place, sink)
    },
  }
}

/** The unions of several stretches, to be kept: four bytes a register in use, or 12 KB a group. */
export class PackedGroups implements GroupSketches {
  private readonly registers: Uint32Array
  private readonly ends = new Map<number, number>()
  private readonly starts = new Map<number, number>()
  private readonly dense = new Map<number, Uint8Array>()

  constructor(sources: readonly GroupSketches[]) {
    let at = 0
    for (const group of groupsOf(sources)) {
      unite(sources, group)
      const length = union.packedLength
      if (length === undefined) {
        this.dense.set(group, union.toDense())
        continue
      }
      scratch = withRoom(scratch, at + length)
      this.starts.set(group, at)
      at = union.packInto(scratch, at)
      this.ends.set(group, at)
    }
    this.registers = scratch.slice(0, at)
  }

  get groups(): Iterable<number> {
    return [...this.starts.keys(), ...this.dense.keys()]
  }

  get byteLength(): number {
    const groups = this.starts.size + this.dense.size
    return OBJECT_BYTES + groups * GROUP_BYTES + this.registers.byteLength + this.dense.size * 12_288
  }

  pour(group: number, sink: RegisterSink): void {
    const dense = this.dense.get(group)
    if (dense) sink.addDense(dense)
    else sink.addPacked(this.registers, this.starts.get(group) ?? 0, this.ends.get(group) ?? 0)
  }
}

/** How many distinct elements all stretches have together, by group. */
export function countGroups(sources: readonly GroupSketches[]): Map<number, number> {
  const counts = new Map<number, number>()
  for (const group of groupsOf(sources)) {
    unite(sources, group)
    counts.set(group, Math.round(union.estimate()))
  }
  return counts
}

function groupsOf(sources: readonly GroupSketches[]): Set<number> {
  const groups = new Set<number>()
  for (const source of sources) for (const group of source.groups) groups.add(group)
  return groups
}

function unite(sources: readonly GroupSketches[], group: number): void {
  union.clear()
  for (const source of sources) source.pour(group, union)
}

function withRoom(array: Uint32Array<ArrayBuffer>, length: number): Uint32Array<ArrayBuffer> {
  if (array.length >= length) return array
  const larger = new Uint32Array(length * 2)
  larger.set(array)
  return larger
}
