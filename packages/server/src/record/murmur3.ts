const C1 = 0x239b961b
const C2 = 0xab0e9789
const C3 = 0x38b34ae5
const C4 = 0xa1e38b93

const rotl = (x: number, r: number) => (x << r) | (x >>> (32 - r))

function mix(h: number): number {
  let x = h
  x ^= x >>> 16
  x = Math.imul(x, 0x85ebca6b)
  x ^= x >>> 13
  x = Math.imul(x, 0xc2b2ae35)
  return x ^ (x >>> 16)
}

/**
 * MurmurHash3_x86_128 (Austin Appleby) over the UTF-16 code units of a text, two units to a 32-bit word. Chosen because
 * it needs 32-bit arithmetic only. Writes the first three words (96 bits) to `out[at…at + 2]`.
 */
export function murmur3(text: string, seed: number, out: Uint32Array, at: number): void {
  const units = text.length
  const blocks = units >>> 3
  let h1 = seed
  let h2 = seed
  let h3 = seed
  let h4 = seed
  let i = 0
  for (let block = 0; block < blocks; block++, i += 8) {
    let k = text.charCodeAt(i) | (text.charCodeAt(i + 1) << 16)
    h1 ^= Math.imul(rotl(Math.imul(k, C1), 15), C2)
    h1 = (Math.imul(rotl(h1, 19) + h2, 5) + 0x561ccd1b) | 0
    k = text.charCodeAt(i + 2) | (text.charCodeAt(i + 3) << 16)
    h2 ^= Math.imul(rotl(Math.imul(k, C2), 16), C3)
    h2 = (Math.imul(rotl(h2, 17) + h3, 5) + 0x0bcaa747) | 0
    k = text.charCodeAt(i + 4) | (text.charCodeAt(i + 5) << 16)
    h3 ^= Math.imul(rotl(Math.imul(k, C3), 17), C4)
    h3 = (Math.imul(rotl(h3, 15) + h4, 5) + 0x96cd1c35) | 0
    k = text.charCodeAt(i + 6) | (text.charCodeAt(i + 7) << 16)
    h4 ^= Math.imul(rotl(Math.imul(k, C4), 18), C1)
    h4 = (Math.imul(rotl(h4, 13) + h1, 5) + 0x32ac3b17) | 0
  }
  // The tail: up to seven units, as if the text were followed by zeros.
  const word = (from: number) =>
    from >= units ? 0 : text.charCodeAt(from) | (from + 1 < units ? text.charCodeAt(from + 1) << 16 : 0)
  if (i < units) {
    h1 ^= Math.imul(rotl(Math.imul(word(i), C1), 15), C2)
    h2 ^= Math.imul(rotl(Math.imul(word(i + 2), C2), 16), C3)
    h3 ^= Math.imul(rotl(Math.imul(word(i + 4), C3), 17), C4)
    h4 ^= Math.imul(rotl(Math.imul(word(i + 6), C4), 18), C1)
  }
  h1 ^= units
  h2 ^= units
  h3 ^= units
  h4 ^= units
  h1 = (h1 + h2 + h3 + h4) | 0
  h2 = (h2 + h1) | 0
  h3 = (h3 + h1) | 0
  h4 = (h4 + h1) | 0
  h1 = mix(h1)
  h2 = mix(h2)
  h3 = mix(h3)
  h4 = mix(h4)
  h1 = (h1 + h2 + h3 + h4) | 0
  out[at] = h1
  out[at + 1] = h2 + h1
  out[at + 2] = h3 + h1
}
