/** 2^14 registers: a standard error of 1.04 / √16384 = 0.81 %. The same as Redis's, and fixed by what is stored. */
export const PRECISION = 14

export const REGISTER_COUNT = 1 << PRECISION

/** Highest rank: the 50 bits of a hash that do not choose the register may all be zero. */
export const MAX_RANK = 64 - PRECISION + 1

/** Bits of one register. A packed register is `index << RANK_BITS | rank`: 20 bits, never 0 for a register in use. */
export const RANK_BITS = 6

export const DENSE_BYTES = (REGISTER_COUNT * RANK_BITS) >>> 3
