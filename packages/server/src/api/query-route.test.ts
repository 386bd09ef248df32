import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import { Hono } from 'hono'
import { expect, test } from 'vitest'
import { addQueryRoute, type QueryRouteDependencies } from './query-route.ts'

test('who hangs up is told to the stage, which can stop its work', async () => {
  let asked: (signal: AbortSignal) => void = () => {}
  const begun = new Promise<AbortSignal>((resolve) => {
    asked = resolve
  })
  const app = new Hono()
  addQueryRoute(app, {
    bodies: { readJson: async () => ({ value: {} }) },
    verify: async () => ({ scope: { project: {} } }),
    query: {
      answer: (_query: unknown, _scope: unknown, signal: AbortSignal) => {
        asked(signal)
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      },
    },
  } as unknown as QueryRouteDependencies)
  const server = createAdaptorServer({ fetch: app.fetch }) as Server
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    const leaving = new AbortController()
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/query`
    const answer = fetch(url, { method: 'POST', body: '{}', signal: leaving.signal })
    const signal = await begun
    expect(signal.aborted).toBe(false)
    leaving.abort()
    await expect(answer).rejects.toMatchObject({ name: 'AbortError' })
    await expect.poll(() => signal.aborted).toBe(true)
  } finally {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})
