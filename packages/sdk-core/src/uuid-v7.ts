/**
 * Makes a generator of UUIDs of version 7 (RFC 9562, method 1 of section 6.2) that grow strictly, also within one
 * millisecond and when the clock is set back.
 *
 * @param after a UUID that all made here are greater than
 */
export function createUuidV7(now: () => number = Date.now, after = ''): () => string {
  let lastMs = msOfUuid(after) || 0
  let counter = 0xfff
  return () => {
    const random = crypto.getRandomValues(new Uint8Array(10))
    const ms = now()
    if (ms > lastMs) {
      lastMs = ms
      // 11 of the 12 bits, so that at least 2,048 ids fit into every millisecond.
      counter = ((random[0]! & 7) << 8) | random[1]!
    } else if (++counter > 0xfff) {
      lastMs++
      counter = 0
    }
    const tail = hex(((random[2]! & 0x3f) | 0x80) * 256 + random[3]!, 4)
    const node = random.subarray(4).reduce((text, byte) => text + hex(byte, 2), '')
    const time = hex(lastMs, 12)
    return `${time.slice(0, 8)}-${time.slice(8)}-7${hex(counter, 3)}-${tail}-${node}`
  }
}

/** When a UUID of version 7 was made, in epoch ms; NaN for what is none. */
export const msOfUuid = (id: string): number => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)

const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0')
