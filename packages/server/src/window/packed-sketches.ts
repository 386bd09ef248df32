import { HyperLogLog, type RegisterSink } from '../sketch/hyperloglog.ts'

/** Many sketches in a few arrays: four bytes a register while sparse, 12 KB when dense. Not to be changed. */
export class PackedSketches {
  private readonly registers: Uint32Array
  private readonly ends: Uint32Array
  private readonly dense = new Map<number, Uint8Array>()

  constructor(sketches: readonly (HyperLogLog | undefined)[]) {
    this.ends = new Uint32Array(sketches.length)
    this.registers = new Uint32Array(sketches.reduce((sum, sketch) => sum + (sketch?.packedLength ?? 0), 0))
    let at = 0
    for (const [slot, sketch] of sketches.entries()) {
      if (sketch?.packedLength === undefined && sketch) this.dense.set(slot, sketch.toDense())
      else if (sketch) at = sketch.packInto(this.registers, at)
      this.ends[slot] = at
    }
  }

  get byteLength(): number {
    return this.registers.byteLength + this.ends.byteLength + this.dense.size * 12_288
  }

  /** Adds the sketch at `slot` to a union or another sketch. */
  pourInto(slot: number, sink: RegisterSink): void {
    const dense = this.dense.get(slot)
    if (dense) sink.addDense(dense)
    else sink.addPacked(this.registers, slot === 0 ? 0 : (this.ends[slot - 1] as number), this.ends[slot] as number)
  }

  /** The sketch at `slot`, to be changed; undefined when nothing is in it. */
  unpack(slot: number): HyperLogLog | undefined {
    const sketch = new HyperLogLog()
    this.pourInto(slot, sketch)
    return sketch.isEmpty ? undefined : sketch
  }
}
