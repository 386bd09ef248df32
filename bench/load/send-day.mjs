import { dayEvents } from './day-events.mjs'

/*
 * Events of the last 24 hours, as a shop's server sends them: with the secret key, times spread evenly.
 */

const DAY_MS = 86_400_000
const BATCH = 1000

/** Sends them in order, a few requests at a time. */
export async function sendDay({ url, key, events, connections = 8 }) {
  const now = Date.now()
  const eventOf = dayEvents()
  let first = 0
  const event = (i) => eventOf(i, now - 60_000 - Math.floor(((events - i) / events) * (DAY_MS - 120_000)))
  const worker = async () => {
    while (first < events) {
      const at = first
      first += BATCH
      const batch = Array.from({ length: Math.min(BATCH, events - at) }, (_, i) => event(at + i))
      const body = JSON.stringify({ events: batch })
      for (;;) {
        const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
        const answer = await fetch(`${url}/v1/events`, { method: 'POST', headers, body })
        const { accepted } = await answer.json()
        if (answer.status === 202 && accepted === batch.length) break
        if (answer.status !== 503) throw new Error(`the server answered ${answer.status}`)
        await new Promise((resolve) => setTimeout(resolve, 200))
      }
    }
  }
  await Promise.all(Array.from({ length: connections }, worker))
}
