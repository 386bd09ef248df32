import { writeElementOfHash } from '../../sketch/element-of-hash.ts'
import { HyperLogLog } from '../../sketch/hyperloglog.ts'

/** Bytes of a small sketch's objects and its name, about. */
const SKETCH_BYTES = 400
const NOTHING = Buffer.alloc(0)

/**
 * What one partition has added to sketches in Redis, so that only what changes them is sent. It must be forgotten when a
 * flush was not applied for certain: Redis might lack what is noted here.
 */
export class LocalSketches {
  private readonly byMinute = new Map<number, Map<string, HyperLogLog>>()
  private readonly maxBytes: number
  private bytes = 0

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes
  }

  /** Adds hashes (low and high word each) to a sketch. @returns eight bytes for PFADD for each that changes it */
  add(minute: number, key: string, hashes: readonly number[]): Buffer {
    if (hashes.length === 0) return NOTHING
    const sketch = this.sketchOf(minute, key)
    const before = sketch.byteLength
    const elements = Buffer.allocUnsafe(hashes.length * 4)
    let length = 0
    for (let i = 0; i < hashes.length; i += 2) {
      const low = hashes[i] as number
      const high = hashes[i + 1] as number
      if (!sketch.add(low, high)) continue
      writeElementOfHash(low, high, elements, length)
      length += 8
    }
    this.bytes += sketch.byteLength - before
    return elements.subarray(0, length)
  }

  forget(): void {
    this.byMinute.clear()
    this.bytes = 0
  }

  private sketchOf(minute: number, key: string): HyperLogLog {
    let sketches = this.byMinute.get(minute)
    let sketch = sketches?.get(key)
    if (sketch) return sketch
    if (this.bytes > this.maxBytes) {
      // Rarely: what is forgotten is only sent again.
      this.forget()
      sketches = undefined
    }
    if (!sketches) {
      sketches = new Map()
      this.byMinute.set(minute, sketches)
      this.keepRecent()
    }
    sketch = new HyperLogLog()
    sketches.set(key, sketch)
    this.bytes += SKETCH_BYTES
    return sketch
  }

  /** Few events come to other minutes than the last ones. */
  private keepRecent(): void {
    if (this.byMinute.size <= 16) return
    const [minute, sketches] = this.byMinute.entries().next().value as [number, Map<string, HyperLogLog>]
    for (const sketch of sketches.values()) this.bytes -= sketch.byteLength + SKETCH_BYTES
    this.byMinute.delete(minute)
  }
}
