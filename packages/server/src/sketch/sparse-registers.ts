import { RANK_BITS } from './precision.ts'

/**
 * The registers in use, each packed as `index << 6 | rank`; 0 is a free slot. Up to 16 of them lie in an array in order
 * of arrival: most sketches hold one or two, and a typed array alone takes some 200 bytes. Beyond that an open-addressed
 * table of a power of two of slots takes over, in which a register's slot follows from its index.
 */
export type SparseRegisters = number[] | Uint32Array

/** Nothing yet, shared by all empty sketches: there is no slot to write to. */
export const NO_REGISTERS: number[] = []

const MAX_TABLE_SLOTS = 2048

/** How many registers fit before `growSparse` is due: all slots of a list, three quarters of a table. */
export const sparseRoom = (registers: SparseRegisters): number =>
  Array.isArray(registers) ? registers.length : registers.length - (registers.length >>> 2)

/** Slot of the register, or the free slot where it belongs. In a full list this is one past the end. */
export function slotOf(registers: SparseRegisters, size: number, index: number): number {
  if (Array.isArray(registers)) {
    for (let slot = 0; slot < size; slot++) {
      if (registers[slot]! >>> RANK_BITS === index) return slot
    }
    return size
  }
  const mask = registers.length - 1
  let slot = index & mask
  for (;;) {
    const found = registers[slot]!
    if (found === 0 || found >>> RANK_BITS === index) return slot
    slot = (slot + 1) & mask
  }
}

/** The same registers with more room, or `undefined` when there are so many that dense ones are smaller. */
export function growSparse(registers: SparseRegisters): SparseRegisters | undefined {
  // Not by push(): V8 would reserve room for 17.
  if (registers.length === 0) return [0, 0, 0, 0]
  if (registers.length === 4) return (registers as number[]).concat([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
  if (registers.length === MAX_TABLE_SLOTS) return undefined
  const table = new Uint32Array(registers.length * (Array.isArray(registers) ? 4 : 2))
  for (let i = 0; i < registers.length; i++) {
    const packed = registers[i]!
    if (packed !== 0) table[slotOf(table, 0, packed >>> RANK_BITS)] = packed
  }
  return table
}

/** The first `count` of packed registers of different indices, or `undefined` when dense ones are smaller. */
export function sparseOf(packed: Uint32Array, count: number): SparseRegisters | undefined {
  if (count === 0) return NO_REGISTERS
  if (count <= 16) {
    const list: number[] = count <= 4 ? [0, 0, 0, 0] : [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    for (let i = 0; i < count; i++) list[i] = packed[i]!
    return list
  }
  if (count > MAX_TABLE_SLOTS * 0.75) return undefined
  let slots = 64
  while (slots * 0.75 < count) slots *= 2
  const table = new Uint32Array(slots)
  for (let i = 0; i < count; i++) table[slotOf(table, 0, packed[i]! >>> RANK_BITS)] = packed[i]!
  return table
}
