import fc from 'fast-check'
import { expect, it } from 'vitest'
import { HyperLogLog } from './hyperloglog.ts'
import { RegisterUnion } from './register-union.ts'

const register = fc.tuple(fc.integer({ min: 0, max: 16383 }), fc.integer({ min: 1, max: 51 }))

const sketch = fc.tuple(fc.array(register, { maxLength: 40 }), fc.boolean()).map(([registers, isDense]) => {
  const sketch = new HyperLogLog()
  if (isDense) sketch.addDense(new Uint8Array(12288))
  for (const [index, rank] of registers) sketch.addRegister(index, rank)
  return sketch
})

it('a register union estimates what the merged sketch estimates, whatever it held before', () => {
  const union = new RegisterUnion()
  fc.assert(
    fc.property(fc.array(sketch, { maxLength: 12 }), (sketches) => {
      const merged = new HyperLogLog()
      union.clear()
      for (const sketch of sketches) {
        merged.merge(sketch)
        union.add(sketch)
        expect(union.estimate()).toBe(merged.estimate())
      }
    }),
  )
})

it('packed and dense registers are read at their place only', () => {
  fc.assert(
    fc.property(fc.array(register, { maxLength: 40 }), (registers) => {
      const merged = new HyperLogLog()
      for (const [index, rank] of registers) merged.addRegister(index, rank)
      const packed = merged.toSparse()!
      const padded = new Uint32Array(packed.length + 3).fill(0xfffff)
      padded.set(packed, 1)
      const sparse = new RegisterUnion()
      sparse.addPacked(padded, 1, packed.length + 1)
      expect(sparse.estimate()).toBe(merged.estimate())
      const dense = new RegisterUnion()
      dense.addDense(Buffer.concat([Buffer.alloc(7, 0xff), merged.toDense(), Buffer.alloc(7, 0xff)]), 7)
      expect(dense.estimate()).toBe(merged.estimate())
    }),
  )
})
