import { CELL_PARTS } from './event-header.ts'

const FIRST_SLOTS = 256

/** Numbers the distinct cells of a run of records by their bytes, so that each is decoded once. */
export interface CellTable {
  /** The number of the cell that stands at `[from, to)`; −1 when it is none. */
  find(from: number, to: number): number
}

/** An open-addressing table over the bytes in `source`. */
export function createCellTable(source: Buffer): CellTable {
  /** Number of the cell plus one; 0 is empty. */
  let table = new Int32Array(FIRST_SLOTS)
  let mask = FIRST_SLOTS - 1
  const hashes: number[] = []
  const starts: number[] = []
  const lengths: number[] = []
  const view = new DataView(source.buffer, source.byteOffset, source.byteLength)

  function hash(from: number, to: number): number {
    let h = to - from
    let at = from
    for (; at + 4 <= to; at += 4) {
      h = Math.imul(h ^ view.getUint32(at, true), 0x9e3779b1)
      h ^= h >>> 15
    }
    for (; at < to; at++) h = Math.imul(h ^ (source[at] as number), 0x9e3779b1)
    return h ^ (h >>> 16)
  }

  function isEqual(number: number, from: number, to: number): boolean {
    const start = starts[number] as number
    const length = lengths[number] as number
    if (length !== to - from) return false
    let i = 0
    for (; i + 4 <= length; i += 4) if (view.getUint32(start + i) !== view.getUint32(from + i)) return false
    for (; i < length; i++) if (source[start + i] !== source[from + i]) return false
    return true
  }

  function add(h: number, from: number, to: number): number {
    const number = hashes.push(h) - 1
    starts.push(from)
    lengths.push(to - from)
    if (hashes.length * 2 > table.length) {
      table = new Int32Array(table.length * 2)
      mask = table.length - 1
      for (const [known, knownHash] of hashes.entries()) {
        let slot = knownHash & mask
        while (table[slot] !== 0) slot = (slot + 1) & mask
        table[slot] = known + 1
      }
    }
    return number
  }

  return {
    find(from, to) {
      const h = hash(from, to)
      let slot = h & mask
      for (;;) {
        const number = (table[slot] as number) - 1
        if (number < 0) break
        if (hashes[number] === h && isEqual(number, from, to)) return number
        slot = (slot + 1) & mask
      }
      if (parts(source, from, to) !== CELL_PARTS) return -1
      const number = hashes.length
      table[slot] = number + 1
      return add(h, from, to)
    },
  }
}

function parts(source: Buffer, from: number, to: number): number {
  let count = 1
  for (let at = from; at < to; at++) if (source[at] === 0) count++
  return count
}
