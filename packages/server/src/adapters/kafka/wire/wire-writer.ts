const WORD = 2 ** 32

/** Writes the fields of Kafka's requests: big-endian, with lengths before them. */
export class WireWriter {
  private bytes: Buffer
  private at = 0

  constructor(size = 256) {
    this.bytes = Buffer.allocUnsafe(size)
  }

  /** What was written so far. */
  take(): Buffer {
    return this.bytes.subarray(0, this.at)
  }

  int8(value: number): this {
    this.reserve(1)
    this.at = this.bytes.writeInt8(value, this.at)
    return this
  }

  int16(value: number): this {
    this.reserve(2)
    this.at = this.bytes.writeInt16BE(value, this.at)
    return this
  }

  int32(value: number): this {
    this.reserve(4)
    this.at = this.bytes.writeInt32BE(value, this.at)
    return this
  }

  int64(value: number): this {
    this.reserve(8)
    this.at = this.bytes.writeInt32BE(Math.floor(value / WORD), this.at)
    this.at = this.bytes.writeUInt32BE(value >>> 0, this.at)
    return this
  }

  unsignedVarint(value: number): this {
    this.reserve(5)
    let rest = value
    while (rest > 127) {
      this.bytes[this.at++] = (rest & 127) | 128
      rest >>>= 7
    }
    this.bytes[this.at++] = rest
    return this
  }

  /** A string or null, its length in two bytes. */
  string(value: string | null): this {
    if (value === null) return this.int16(-1)
    return this.int16(Buffer.byteLength(value)).raw(Buffer.from(value))
  }

  /** A string or null, its length as a varint. */
  compactString(value: string | null): this {
    if (value === null) return this.unsignedVarint(0)
    return this.unsignedVarint(Buffer.byteLength(value) + 1).raw(Buffer.from(value))
  }

  array<T>(values: readonly T[], write: (fields: this, value: T) => void): this {
    this.int32(values.length)
    for (const value of values) write(this, value)
    return this
  }

  compactArray<T>(values: readonly T[], write: (fields: this, value: T) => void): this {
    this.unsignedVarint(values.length + 1)
    for (const value of values) write(this, value)
    return this
  }

  /** The end of a flexible structure: no tagged fields. */
  noTags(): this {
    return this.unsignedVarint(0)
  }

  raw(bytes: Uint8Array): this {
    this.reserve(bytes.byteLength)
    this.bytes.set(bytes, this.at)
    this.at += bytes.byteLength
    return this
  }

  private reserve(size: number): void {
    if (this.at + size <= this.bytes.byteLength) return
    const larger = Buffer.allocUnsafe(Math.max(this.bytes.byteLength * 2, this.at + size))
    this.bytes.copy(larger, 0, 0, this.at)
    this.bytes = larger
  }
}
