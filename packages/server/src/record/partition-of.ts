import { murmur3 } from './murmur3.ts'

const SEED = 0x6e6f77
const words = new Uint32Array(3)

/** What an event is put into a partition by: its sender (`anonymousId ?? userId`), so that its events keep their order. */
export function partitionKey(project: string, sender: string): string {
  return `${project}:${sender}`
}

/** Log partition of a {@link partitionKey}. */
export function partitionOf(key: string, partitions: number): number {
  murmur3(key, SEED, words, 0)
  return (words[0] as number) % partitions
}
