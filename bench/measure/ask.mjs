/** Asks a question over HTTP; how long the whole answer took, and what it was. */
export async function ask(url, token, query) {
  const startedAt = performance.now()
  const answer = await fetch(`${url}/v1/query`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(query),
  })
  const body = await answer.json()
  const elapsedMs = performance.now() - startedAt
  if (answer.status !== 200) throw new Error(`${answer.status}: ${JSON.stringify(body)}`)
  return { elapsedMs, body }
}

/** The value below which a share of the readings lies. */
export function quantile(readings, share) {
  const sorted = [...readings].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
}
