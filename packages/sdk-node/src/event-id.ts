import { randomFillSync } from 'node:crypto'

/** Random bytes are taken from the system in pieces: asking for each id would cost more than all the rest of it. */
const pool = Buffer.alloc(8192)
let used = pool.length

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

let lastMs = 0
let counter = 0
let time = ''

/** A UUID of version 7 that is greater than every one before, of all clients of this process. */
export function createEventId(): string {
  if (used + 10 > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  const at = used
  used += 10
  const ms = Date.now()
  if (ms > lastMs) {
    startMs(ms)
    // 11 of the 12 bits, so that at least 2,048 ids fit into every millisecond.
    counter = ((pool[at]! & 7) << 8) | pool[at + 1]!
  } else if (++counter > 0xfff) {
    startMs(lastMs + 1)
    counter = 0
  }
  const byte = (index: number) => HEX[pool[at + index]!]!
  const variant = HEX[(pool[at + 2]! & 0x3f) | 0x80]!
  return `${time}${HEX[0x70 | (counter >> 8)]}${HEX[counter & 0xff]}-${variant}${byte(3)}-${byte(4)}${byte(5)}${byte(6)}${byte(7)}${byte(8)}${byte(9)}`
}

function startMs(ms: number) {
  lastMs = ms
  const hex = ms.toString(16).padStart(12, '0')
  time = `${hex.slice(0, 8)}-${hex.slice(8)}-`
}
