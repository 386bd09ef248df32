/** Castagnoli's polynomial, reflected (RFC 3720). */
const POLYNOMIAL = 0x82f63b78
const STEP = 16

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
const t8 = followed(t7)
const t9 = followed(t8)
const t10 = followed(t9)
const t11 = followed(t10)
const t12 = followed(t11)
const t13 = followed(t12)
const t14 = followed(t13)
const t15 = followed(t14)

function followed(table: Int32Array): Int32Array {
  return table.map((crc) => (crc >>> 8) ^ (t0[crc & 255] as number))
}

/** What the four bytes of a word add, each by its own table. */
function word(value: number, a: Int32Array, b: Int32Array, c: Int32Array, d: Int32Array): number {
  return (
    (a[value & 255] as number) ^
    (b[(value >>> 8) & 255] as number) ^
    (c[(value >>> 16) & 255] as number) ^
    (d[value >>> 24] as number)
  )
}

/**
 * CRC-32C of `bytes[from … to)`, sixteen bytes a step: 2.8 GB/s, which is a quarter of a microsecond an event. A native
 * library is three times as fast, and not worth a binary for each platform.
 */
export function crc32c(bytes: Uint8Array, from = 0, to = bytes.byteLength): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let crc = -1
  let i = from
  for (; i + STEP <= to; i += STEP) {
    crc =
      word(crc ^ view.getInt32(i, true), t15, t14, t13, t12) ^
      word(view.getInt32(i + 4, true), t11, t10, t9, t8) ^
      word(view.getInt32(i + 8, true), t7, t6, t5, t4) ^
      word(view.getInt32(i + 12, true), t3, t2, t1, t0)
  }
  while (i < to) crc = (crc >>> 8) ^ (t0[(crc ^ (bytes[i++] as number)) & 255] as number)
  return ~crc >>> 0
}
