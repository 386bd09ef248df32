import { GrowingBuffer } from './growing-buffer.ts'

const MAGIC = 0x184d2204
const BLOCK_CHECKSUM = 0x10
const CONTENT_SIZE = 0x08
const DICTIONARY = 0x01
const STORED = 0x80000000
const SHORTEST_REPEAT = 4

/** Unpacks one LZ4 frame; its checksums are left to Kafka's own. @throws RangeError */
export function unpackLz4(bytes: Buffer, maxBytes: number): Buffer {
  if (bytes.readUInt32LE(0) !== MAGIC) throw new RangeError('compressed records that are no LZ4 frame')
  const flags = bytes.readUInt8(4)
  // Magic, flags, block size, what the flags announce, a checksum of all that.
  let at = 6 + (flags & CONTENT_SIZE ? 8 : 0) + (flags & DICTIONARY ? 4 : 0) + 1
  const out = new GrowingBuffer(bytes.byteLength * 4, maxBytes)
  for (;;) {
    const size = bytes.readUInt32LE(at)
    at += 4
    if (size === 0) return out.take()
    const end = at + (size % STORED)
    if (end > bytes.byteLength) throw new RangeError('compressed records that are cut short')
    if (size >= STORED) out.write(bytes, at, end)
    else unpackBlock(bytes.subarray(at, end), out)
    at = end + (flags & BLOCK_CHECKSUM ? 4 : 0)
  }
}

/** https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md */
function unpackBlock(block: Buffer, out: GrowingBuffer): void {
  let at = 0

  function length(nibble: number): number {
    let total = nibble
    if (nibble < 15) return total
    for (;;) {
      const byte = block.readUInt8(at++)
      total += byte
      if (byte < 255) return total
    }
  }

  while (at < block.byteLength) {
    const token = block[at++] as number
    const literals = length(token >>> 4)
    out.write(block, at, at + literals)
    at += literals
    // The last sequence is literals alone.
    if (at >= block.byteLength) return
    const distance = block.readUInt16LE(at)
    at += 2
    out.repeat(distance, length(token & 15) + SHORTEST_REPEAT)
  }
}
