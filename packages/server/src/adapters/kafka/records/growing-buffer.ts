/** Output of an unpacker: bytes, and copies of what it has written before. */
export class GrowingBuffer {
  length = 0
  private bytes: Buffer
  private readonly maxBytes: number

  /** @param maxBytes beyond it every write fails */
  constructor(size: number, maxBytes: number) {
    this.maxBytes = maxBytes
    this.bytes = Buffer.allocUnsafeSlow(Math.min(size, maxBytes))
  }

  take(): Buffer {
    return this.bytes.subarray(0, this.length)
  }

  /** Writes `source[from … to)`. @throws RangeError */
  write(source: Buffer, from: number, to: number): void {
    if (to > source.byteLength || to < from) throw new RangeError('compressed records that are cut short')
    this.reserve(to - from)
    source.copy(this.bytes, this.length, from, to)
    this.length += to - from
  }

  /** Repeats `length` bytes from `distance` back; they may overlap what is written. @throws RangeError */
  repeat(distance: number, length: number): void {
    let from = this.length - distance
    if (from < 0 || distance === 0) throw new RangeError('compressed records that are broken')
    this.reserve(length)
    for (let left = length; left > 0; left--) this.bytes[this.length++] = this.bytes[from++] as number
  }

  private reserve(more: number): void {
    const size = this.length + more
    if (size > this.maxBytes) throw new RangeError(`compressed records of more than ${this.maxBytes} bytes`)
    if (size <= this.bytes.byteLength) return
    const larger = Buffer.allocUnsafeSlow(Math.min(this.maxBytes, Math.max(this.bytes.byteLength * 2, size)))
    this.bytes.copy(larger, 0, 0, this.length)
    this.bytes = larger
  }
}
