/** A stream of numbers that depends on its seed alone. */
export interface Random {
  /** 0 ≤ x < 1. */
  next(): number
  /** A whole number, 0 ≤ x < n. */
  below(n: number): number
  chance(probability: number): boolean
  pick<T>(list: readonly T[]): T
  /** One of a list, as often as its weight says. */
  weighted<T extends { weight: number }>(list: readonly T[]): T
  exponential(mean: number): number
  /** Mean 0, deviation 1. */
  normal(): number
}

/**
 * Makes a stream from whatever names it, such as a seed, a minute and a number.
 * Mulberry32, seeded by FNV-1a: fast, and good enough for traffic.
 */
export function createRandom(...name: (string | number)[]): Random {
  let state = hash(name.join('/'))

  function next(): number {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }

  return {
    next,
    below: (n) => Math.floor(next() * n),
    chance: (probability) => next() < probability,
    pick: (list) => list[Math.floor(next() * list.length)]!,
    weighted(list) {
      let rest = next() * list.reduce((sum, { weight }) => sum + weight, 0)
      for (const item of list) {
        rest -= item.weight
        if (rest < 0) return item
      }
      return list.at(-1)!
    },
    exponential: (mean) => -mean * Math.log(1 - next()),
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
  }
}

function hash(text: string): number {
  let value = 0x811c9dc5
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193)
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  return value ^ (value >>> 13)
}
