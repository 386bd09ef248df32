/*
 * Events of the last hours, as a shop's server sends them: with the secret key, times spread evenly.
 */

const COUNTRIES = ['US', 'DE', 'GB', 'FR', 'JP', 'BR', 'IN', 'CA']
const NAMES = ['page_view', 'page_view', 'click', 'purchase', 'error', 'search']
const DAY_MS = 86_400_000
const BATCH = 1000

/** Sends them in order, a few requests at a time. */
export async function sendDay({ url, key, events, connections = 8, spanMs = DAY_MS }) {
  const now = Date.now()
  let first = 0
  let number = 0
  const random = (below) => {
    number = (Math.imul(number, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((number / 2 ** 32) * below)
  }
  const event = (i) => ({
    id: `day-${i}`,
    name: NAMES[random(NAMES.length)],
    userId: `u${random(200_000)}`,
    timestamp: now - 60_000 - Math.floor(((events - i) / events) * (spanMs - 120_000)),
    category: `category ${random(8)}`,
    revenue: random(6) === 0 ? `${random(200)}.99` : undefined,
    context: { country: COUNTRIES[random(8)], device: ['desktop', 'mobile', 'tablet'][random(3)] },
  })
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
