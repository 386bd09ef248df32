const MOST_MS = 5

let turnEndedAt = 0

/**
 * Lets requests, timers and answers have their turn once those who read the log have had theirs for 5 ms: what is read
 * from memory resolves at once, so that a loop of such readings would hold up everything else for as long as it lasts.
 */
export async function giveWay(): Promise<void> {
  if (performance.now() - turnEndedAt < MOST_MS) return
  await new Promise((resolve) => setImmediate(resolve))
  turnEndedAt = performance.now()
}
