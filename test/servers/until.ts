import { setTimeout as sleep } from 'node:timers/promises'

const POLL_MS = 50

/** Asks again and again until the answer is the expected one. @throws Error that shows the last answer */
export async function until<T extends string | number | boolean>(
  expected: T,
  read: () => Promise<T> | T,
  timeoutMs = 20_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const found = await read()
    if (found === expected) return
    if (Date.now() > deadline) throw new Error(`after ${timeoutMs} ms still ${found}, not ${expected}`)
    await sleep(POLL_MS)
  }
}
