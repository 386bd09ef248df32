import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HyperLogLog } from './hyperloglog.ts'

type Hash = readonly [low: number, high: number]

const word = fc.integer({ min: 0, max: 0xffffffff })

/** Sets of 0 to 6,000 hashes: on both sides of every change of form. */
const hashes: fc.Arbitrary<Hash[]> = fc
  .tuple(fc.constantFrom(0, 1, 4, 5, 16, 17, 49, 700, 1536, 1700, 6000), fc.infiniteStream(word))
  .map(([count, words]) => Array.from({ length: count }, () => [words.next().value, words.next().value] as const))

function sketchOf(...sets: Hash[][]): HyperLogLog {
  const sketch = new HyperLogLog()
  for (const set of sets) for (const [low, high] of set) sketch.add(low, high)
  return sketch
}

function union(...sketches: HyperLogLog[]): HyperLogLog {
  const sketch = new HyperLogLog()
  for (const other of sketches) sketch.merge(other)
  return sketch
}

/** Equal in every register, read one by one and as a whole, and in the estimate. */
function expectEqual(a: HyperLogLog, b: HyperLogLog): void {
  expect(Buffer.compare(a.toDense(), b.toDense())).toBe(0)
  const registers = (sketch: HyperLogLog) => {
    const packed: number[] = []
    sketch.forEachRegister((index, rank) => packed.push((index << 6) | rank))
    return packed.sort((x, y) => x - y)
  }
  expect(registers(a)).toEqual(registers(b))
  expect(a.estimate()).toBe(b.estimate())
}

const check = <T extends [unknown, ...unknown[]]>(property: fc.IProperty<T>) => fc.assert(property, { numRuns: 25 })

describe('hyperloglog', () => {
  it('a union equals adding everything, in any order and grouping, any number of times', () => {
    check(
      fc.property(hashes, hashes, hashes, (x, y, z) => {
        const [a, b, c] = [sketchOf(x), sketchOf(y), sketchOf(z)]
        const all = sketchOf(x, y, z)
        expectEqual(union(a, b, c), all)
        expectEqual(union(c, union(b, a)), all)
        expectEqual(union(union(a, b), c, b, a, a), all)
        expectEqual(a, sketchOf(x))
      }),
    )
  })

  it('the order of elements does not matter, nor do repeats', () => {
    check(
      fc.property(hashes, (set) => {
        const once = sketchOf(set)
        expectEqual(sketchOf([...set].reverse(), set), once)
        for (const [low, high] of set) expect(once.add(low, high)).toBe(false)
      }),
    )
  })

  it('says of every element whether it changed a register', () => {
    check(
      fc.property(hashes, (set) => {
        const ranks = new Map<number, number>()
        const sketch = new HyperLogLog()
        for (const [low, high] of set) {
          const index = low % 16384
          const rank = 1 + (low & 0xff ? high % 51 : 50)
          const before = ranks.get(index) ?? 0
          expect(sketch.addRegister(index, rank)).toBe(rank > before)
          ranks.set(index, Math.max(rank, before))
        }
        const seen = new Map<number, number>()
        sketch.forEachRegister((index, rank) => seen.set(index, rank))
        expect(seen).toEqual(ranks)
      }),
    )
  })

  it('sparse equals dense', () => {
    check(
      fc.property(hashes, hashes, (x, y) => {
        const dense = new HyperLogLog()
        dense.addDense(new Uint8Array(12288))
        expect(dense.isDense).toBe(true)
        for (const [low, high] of x) dense.add(low, high)
        expectEqual(dense, sketchOf(x))
        const copied = new HyperLogLog()
        copied.addDense(Buffer.concat([Buffer.alloc(5), sketchOf(x).toDense()]), 5)
        expectEqual(copied, dense)
        expectEqual(union(dense, sketchOf(y)), union(sketchOf(y), dense))
        expectEqual(union(dense, sketchOf(y)), sketchOf(x, y))
      }),
    )
  })

  it('survives being packed', () => {
    check(
      fc.property(hashes, (set) => {
        const sketch = sketchOf(set)
        const length = sketch.packedLength
        if (length === undefined) {
          expect(sketch.toSparse()).toBeUndefined()
          expect(() => sketch.packInto(new Uint32Array(16384), 0)).toThrow(TypeError)
          return
        }
        const packed = new Uint32Array(length + 5).fill(99)
        expect(sketch.packInto(packed, 2)).toBe(length + 2)
        expect([...packed.subarray(0, 2), ...packed.subarray(length + 2)]).toEqual([99, 99, 99, 99, 99])
        expect(packed.slice(2, length + 2).sort()).toEqual(sketch.toSparse())
        const read = new HyperLogLog()
        read.addPacked(packed, 2, length + 2)
        expectEqual(read, sketch)
      }),
    )
  })

  it('a clone and a cleared sketch are on their own', () => {
    check(
      fc.property(hashes, hashes, (x, y) => {
        const sketch = sketchOf(x)
        const copy = sketch.clone()
        for (const [low, high] of y) copy.add(low, high)
        expectEqual(copy, sketchOf(x, y))
        expectEqual(sketch, sketchOf(x))
        copy.clear()
        expectEqual(copy, new HyperLogLog())
        expect([copy.isEmpty, copy.byteLength, copy.estimate()]).toEqual([true, 0, 0])
        expect(sketch.isEmpty).toBe(x.length === 0)
      }),
    )
  })

  it('memory is bounded: never above 12,288 bytes, and 32 for up to four elements', () => {
    check(
      fc.property(hashes, (set) => {
        const sketch = new HyperLogLog()
        let previous = 0
        let elements = 0
        for (const [low, high] of set) {
          if (sketch.add(low, high)) elements++
          expect(sketch.byteLength).toBeGreaterThanOrEqual(previous)
          previous = sketch.byteLength
          expect(previous).toBeLessThanOrEqual(Math.min(12_288, Math.max(32, 32 * elements)))
        }
      }),
    )
  })

  it('full registers stay within their bounds', () => {
    const sketch = new HyperLogLog()
    for (let index = 16383; index >= 0; index--) sketch.addRegister(index, 51)
    let visited = 0
    sketch.forEachRegister((index, rank) => {
      expect([index, rank]).toEqual([visited++, 51])
    })
    expect(visited).toBe(16384)
    expect(sketch.toDense()).toHaveLength(12288)
  })
})
