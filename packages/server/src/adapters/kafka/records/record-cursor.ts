import { FIXED_BYTES, HEADER_NAME } from './event-header.ts'

/** Walks over the records of a batch, and remembers where the parts of the present one stand. */
export class RecordCursor {
  offsetDelta = 0
  /** Where the key begins, and its length; −1 for none. */
  key = 0
  keyBytes = -1
  /** Where the value begins, and its length; −1 for none (a tombstone). */
  value = 0
  valueBytes = -1
  /** Where the value of our header begins, and its length; −1 when the record has none. */
  header = -1
  headerBytes = 0
  private readonly source: Buffer
  private at = 0

  constructor(source: Buffer) {
    this.source = source
  }

  /** @throws RangeError when there is no whole record */
  next(): void {
    const size = this.varint()
    const end = this.at + size
    if (size < 0 || end > this.source.byteLength) throw new RangeError('a record that is cut short')
    this.at++ // attributes
    this.varint() // time
    this.offsetDelta = this.varint()
    this.keyBytes = this.varint()
    this.key = this.at
    this.pass(this.keyBytes)
    this.valueBytes = this.varint()
    this.value = this.at
    this.pass(this.valueBytes)
    this.header = -1
    for (let left = this.varint(); left > 0; left--) {
      const nameBytes = this.varint()
      const isOurs = nameBytes === HEADER_NAME.length && this.isHeaderName()
      this.pass(nameBytes)
      const bytes = this.varint()
      if (isOurs && bytes >= FIXED_BYTES) {
        this.header = this.at
        this.headerBytes = bytes
      }
      this.pass(bytes)
    }
    if (this.at > end) throw new RangeError('a record that is longer than it says')
    this.at = end
  }

  private pass(bytes: number): void {
    if (bytes > 0) this.at += bytes
  }

  /** A zigzag varint; of a longer one than 32 bits, which only a time can be, the low bits. */
  private varint(): number {
    let value = 0
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.source[this.at++]
      if (byte === undefined) throw new RangeError('a record that is cut short')
      if (shift < 32) value |= (byte & 127) << shift
      if (byte < 128) break
    }
    return (value >>> 1) ^ -(value & 1)
  }

  private isHeaderName(): boolean {
    for (let k = 0; k < HEADER_NAME.length; k++) if (this.source[this.at + k] !== HEADER_NAME[k]) return false
    return true
  }
}
