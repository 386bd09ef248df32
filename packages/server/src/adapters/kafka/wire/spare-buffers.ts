const LEAST_BYTES = 64 * 1024

/** Buffers that are used again: large ones are costly to make, and to clear away. */
export class SpareBuffers {
  private readonly spare: Buffer[] = []
  private bytes = 0
  private readonly maxBytes: number

  /** @param maxBytes what is kept at most */
  constructor(maxBytes = 16 * 1024 * 1024) {
    this.maxBytes = maxBytes
  }

  /** A buffer of `size` bytes or more. */
  take(size: number): Buffer {
    const at = this.spare.findIndex((buffer) => buffer.byteLength >= size)
    if (at < 0) return Buffer.allocUnsafeSlow(Math.max(LEAST_BYTES, 2 ** Math.ceil(Math.log2(size))))
    const [buffer] = this.spare.splice(at, 1) as [Buffer]
    this.bytes -= buffer.byteLength
    return buffer
  }

  /** Gives a buffer of {@link take} back, or a part of one. */
  put(part: Buffer): void {
    const { byteLength } = part.buffer
    if (this.bytes + byteLength > this.maxBytes) return
    this.spare.push(Buffer.from(part.buffer as ArrayBuffer))
    this.bytes += byteLength
  }
}
