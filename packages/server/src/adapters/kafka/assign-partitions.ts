/** A member of a group, and what it had before. */
export interface Claim {
  member: string
  owned: readonly number[]
}

/**
 * Shares partitions evenly, and leaves each where it was as far as that goes: whoever takes one over has to read back
 * what is needed to tell repeats.
 */
export function assignPartitions(partitions: number, claims: readonly Claim[]): Map<string, number[]> {
  const free = new Set(Array.from({ length: partitions }, (_, partition) => partition))
  const shares = claims
    .map(({ member, owned }) => {
      // Two may claim the same after a split: the first one has it.
      const kept = owned.filter((partition) => free.delete(partition))
      return { member, kept }
    })
    .sort((a, b) => b.kept.length - a.kept.length || (a.member < b.member ? -1 : 1))
  const least = Math.floor(partitions / shares.length)
  let larger = partitions % shares.length
  for (const share of shares) {
    const quota = larger-- > 0 ? least + 1 : least
    for (const partition of share.kept.splice(quota)) free.add(partition)
  }
  const left = [...free].sort((a, b) => a - b)
  larger = partitions % shares.length
  for (const { kept } of shares) {
    const quota = larger-- > 0 ? least + 1 : least
    kept.push(...left.splice(0, quota - kept.length))
    kept.sort((a, b) => a - b)
  }
  return new Map(shares.map(({ member, kept }) => [member, kept]))
}
