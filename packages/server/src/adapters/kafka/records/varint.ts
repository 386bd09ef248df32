/** Bytes of a number ≥ 0 in zigzag form. */
export function sizeOfVarint(value: number): number {
  return value < 64 ? 1 : value < 8192 ? 2 : value < 1048576 ? 3 : value < 134217728 ? 4 : 5
}

/** Writes a number ≥ 0 in zigzag form. @returns where the next byte goes */
export function writeVarint(out: Buffer, at: number, value: number): number {
  let rest = value * 2
  while (rest > 127) {
    out[at++] = (rest & 127) | 128
    rest >>>= 7
  }
  out[at++] = rest
  return at
}
