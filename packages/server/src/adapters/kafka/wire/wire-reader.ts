const WORD = 2 ** 32

/** Reads the fields of Kafka's answers. @throws RangeError when the answer is cut short */
export class WireReader {
  readonly bytes: Buffer
  at: number

  constructor(bytes: Buffer, at = 0) {
    this.bytes = bytes
    this.at = at
  }

  int8(): number {
    return this.bytes.readInt8(this.advance(1))
  }

  int16(): number {
    return this.bytes.readInt16BE(this.advance(2))
  }

  int32(): number {
    return this.bytes.readInt32BE(this.advance(4))
  }

  /** As a double: offsets and times are far below 2^53. */
  int64(): number {
    const at = this.advance(8)
    return this.bytes.readInt32BE(at) * WORD + this.bytes.readUInt32BE(at + 4)
  }

  /** Where all 64 bits count. */
  bigInt64(): bigint {
    return this.bytes.readBigInt64BE(this.advance(8))
  }

  unsignedVarint(): number {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = this.bytes.readUInt8(this.advance(1))
      value += (byte & 127) * 2 ** shift
      if (byte < 128) return value
    }
  }

  string(): string | null {
    return this.text(this.int16())
  }

  compactString(): string | null {
    return this.text(this.unsignedVarint() - 1)
  }

  array<T>(read: () => T): T[] {
    return Array.from({ length: Math.max(0, this.int32()) }, read)
  }

  compactArray<T>(read: () => T): T[] {
    return Array.from({ length: Math.max(0, this.unsignedVarint() - 1) }, read)
  }

  /** A view of the next bytes. */
  raw(length: number): Buffer {
    const at = this.advance(length)
    return this.bytes.subarray(at, at + length)
  }

  /** Passes over the tagged fields that end a flexible structure. */
  tags(): void {
    for (let left = this.unsignedVarint(); left > 0; left--) {
      this.unsignedVarint()
      this.raw(this.unsignedVarint())
    }
  }

  private text(length: number): string | null {
    return length < 0 ? null : this.raw(length).toString('utf8')
  }

  private advance(length: number): number {
    const { at } = this
    if (length < 0 || at + length > this.bytes.byteLength) throw new RangeError('an answer of Kafka is cut short')
    this.at += length
    return at
  }
}
