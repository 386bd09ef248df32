/** The multiplier 0xc6a4a7935bd1e995, in 32-bit halves; the lower half again in 16-bit halves. */
const M_HIGH = 0xc6a4a793
const M_LOW = 0x5bd1e995
const M_LOW_HIGH = 0x5bd1
const M_LOW_LOW = 0xe995

/** The seed of Redis's HyperLogLog. */
const SEED = 0xadc83b19

/** Texts of up to this many bytes are packed into a buffer that is kept; longer ones get one of their own. */
const SCRATCH_BYTES = 4096
const scratch = new Uint32Array(SCRATCH_BYTES >>> 2)
const encoder = new TextEncoder()

/** Upper 32 bits of `(high · 2³² + low) · M`; the lower ones are `Math.imul(low, M_LOW)`. */
function timesHigh(low: number, high: number): number {
  const a = low & 0xffff
  const b = low >>> 16
  const t = (Math.imul(b, M_LOW_LOW) + (Math.imul(a, M_LOW_LOW) >>> 16)) | 0
  const u = (Math.imul(a, M_LOW_HIGH) + (t & 0xffff)) | 0
  const carried = (Math.imul(b, M_LOW_HIGH) + (t >>> 16) + (u >>> 16)) | 0
  return (carried + Math.imul(low, M_HIGH) + Math.imul(high, M_LOW)) | 0
}

/** Packs four bytes to a word, the first lowest, and zeros up to a multiple of eight bytes. */
function packBytes(bytes: Uint8Array, words: Uint32Array): void {
  const length = bytes.length
  for (let i = 0, w = 0; i < length; i += 8, w += 2) {
    words[w] = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)
    words[w + 1] = bytes[i + 4]! | (bytes[i + 5]! << 8) | (bytes[i + 6]! << 16) | (bytes[i + 7]! << 24)
  }
}

/** As `packBytes`, from the text itself. False when it holds anything but ASCII: then `words` are of no use. */
function packAscii(text: string, words: Uint32Array): boolean {
  const length = text.length
  const whole = length >>> 2
  let seen = 0
  let i = 0
  let w = 0
  for (; w < whole; w++, i += 4) {
    const a = text.charCodeAt(i)
    const b = text.charCodeAt(i + 1)
    const c = text.charCodeAt(i + 2)
    const d = text.charCodeAt(i + 3)
    seen |= a | b | c | d
    words[w] = a | (b << 8) | (c << 16) | (d << 24)
  }
  let last = 0
  for (let shift = 0; i < length; i++, shift += 8) {
    const unit = text.charCodeAt(i)
    seen |= unit
    last |= unit << shift
  }
  words[w] = last
  words[w + 1] = 0
  return seen < 0x80
}

function hashWords(words: Uint32Array, bytes: number, out: Uint32Array, at: number): void {
  let low = SEED ^ Math.imul(bytes, M_LOW)
  let high = timesHigh(bytes, 0)
  const whole = (bytes >>> 3) << 1
  for (let w = 0; w < whole; w += 2) {
    let k = words[w]! | 0
    let kHigh = timesHigh(k, words[w + 1]! | 0)
    k = Math.imul(k, M_LOW) ^ (kHigh >>> 15)
    kHigh = timesHigh(k, kHigh)
    low ^= Math.imul(k, M_LOW)
    high = timesHigh(low, high ^ kHigh)
    low = Math.imul(low, M_LOW)
  }
  if ((bytes & 7) !== 0) {
    low ^= words[whole]!
    high = timesHigh(low, high ^ words[whole + 1]!)
    low = Math.imul(low, M_LOW)
  }
  low ^= high >>> 15
  high = timesHigh(low, high)
  low = Math.imul(low, M_LOW)
  out[at] = low ^ (high >>> 15)
  out[at + 1] = high
}

/**
 * MurmurHash64A (Austin Appleby, MurmurHash2.cpp) of a text's UTF-8 bytes with the seed of Redis's HyperLogLog, so that
 * a text falls into the same register here and there. In 32-bit halves, because BigInt is fifty times slower. A lone
 * surrogate counts as U+FFFD, as when the text is sent to Redis. Writes the lower word to `out[at]`, the upper to
 * `out[at + 1]`.
 */
export function murmurHash64A(text: string, out: Uint32Array, at: number): void {
  const words = text.length <= SCRATCH_BYTES - 8 ? scratch : new Uint32Array((text.length >>> 2) + 2)
  if (packAscii(text, words)) {
    hashWords(words, text.length, out, at)
    return
  }
  const bytes = encoder.encode(text)
  const wide = bytes.length <= SCRATCH_BYTES ? scratch : new Uint32Array(((bytes.length + 7) >>> 3) << 1)
  packBytes(bytes, wide)
  hashWords(wide, bytes.length, out, at)
}
