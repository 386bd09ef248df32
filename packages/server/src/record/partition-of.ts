import { murmur3 } from './murmur3.ts'

const SEED = 0x6e6f77
const words = new Uint32Array(3)

/** Log partition of a sender (`anonymousId ?? userId`), so that one sender's events keep their order. */
export function partitionOf(project: string, sender: string, partitions: number): number {
  murmur3(`${project}:${sender}`, SEED, words, 0)
  return (words[0] as number) % partitions
}
