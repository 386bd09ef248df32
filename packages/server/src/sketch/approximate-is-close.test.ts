import { describe, expect, it } from 'vitest'
import { HyperLogLog } from './hyperloglog.ts'
import { murmurHash64A } from './murmur-hash-64a.ts'

/** Where a growing set is read: 10, 20, 30, 40, 50, 70, 100, 200, … 1,000,000. */
const SIZES = [1, 2, 3, 4, 5]
  .flatMap((power) => [1, 2, 3, 4, 5, 7].map((digit) => digit * 10 ** power))
  .concat(1_000_000)

/** At most this root mean square of the relative errors, and at least this share of readings within that error. */
const PROMISE = { rms: 0.009, share: 0.985, within: 0.021 }

interface Accuracy {
  readings: number
  rms: number
  share: number
}

function accuracyOf(errors: number[]): Accuracy {
  const squares = errors.reduce((sum, error) => sum + error * error, 0)
  const close = errors.filter((error) => Math.abs(error) <= PROMISE.within).length
  return { readings: errors.length, rms: Math.sqrt(squares / errors.length), share: close / errors.length }
}

function print(name: string, { readings, rms, share }: Accuracy): void {
  const figures = `RMS ${(100 * rms).toFixed(3)} %, ${(100 * share).toFixed(2)} % within 2.1 %`
  process.stdout.write(`${name}: ${readings} readings, ${figures}\n`)
}

/** Relative errors by size, of `setCount` sets of distinct elements added by `addNext`. One in five grows to a million. */
function measure(setCount: number, addNext: (sketch: HyperLogLog, set: number, element: number) => void) {
  const errorsBySize = new Map<number, number[]>(SIZES.map((size) => [size, []]))
  for (let set = 0; set < setCount; set++) {
    const sketch = new HyperLogLog()
    const last = set % 5 === 0 ? 1_000_000 : 50_000
    let element = 0
    for (const [size, errors] of errorsBySize) {
      if (size > last) break
      while (element < size) addNext(sketch, set, element++)
      errors.push(Math.round(sketch.estimate()) / size - 1)
    }
  }
  return errorsBySize
}

function expectPromiseKept(name: string, errorsBySize: Map<number, number[]>): void {
  const accuracy = accuracyOf([...errorsBySize.values()].flat())
  print(`${name}, all sizes`, accuracy)
  expect(accuracy.rms).toBeLessThanOrEqual(PROMISE.rms)
  expect(accuracy.share).toBeGreaterThanOrEqual(PROMISE.share)
}

describe('approximate counts are close', () => {
  it('of random hashes, at every size', () => {
    let state = 0x9e3779b9
    const random = () => {
      state = (state + 0x9e3779b9) | 0
      let x = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
      x = Math.imul(x ^ (x >>> 15), 0x735a2d97)
      return x ^ (x >>> 15)
    }
    const errorsBySize = measure(200, (sketch) => sketch.add(random(), random()))
    for (const [size, errors] of errorsBySize) {
      print(`random hashes, ${size}`, accuracyOf(errors))
      // A single size has few readings: twice the promised error would be a fault, not chance.
      expect(accuracyOf(errors).rms).toBeLessThanOrEqual(2 * PROMISE.rms)
    }
    expectPromiseKept('random hashes', errorsBySize)
  }, 60_000)

  it('of ids', () => {
    const hash = new Uint32Array(2)
    const errorsBySize = measure(20, (sketch, set, element) => {
      murmurHash64A(`user-${set}-${element}`, hash, 0)
      sketch.add(hash[0]!, hash[1]!)
    })
    expectPromiseKept('ids', errorsBySize)
  }, 60_000)
})
