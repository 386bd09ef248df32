import { expect, test } from 'vitest'
import { names, startClient, trackMany } from './start-client.ts'

test('flush stops waiting when its signal aborts, without an exception, and the events stay', async () => {
  const { client, server } = await startClient()
  server.outage = { status: 503 }
  trackMany(client, 5)
  const controller = new AbortController()
  const flushed = client.flush({ signal: controller.signal })
  await server.until(() => server.received.length > 0)
  controller.abort()
  expect(await flushed).toBe(false)
  expect(await client.flush({ signal: AbortSignal.abort() })).toBe(false)
  server.recover()
  expect(await client.flush()).toBe(true)
  expect(server.counted().map(({ name }) => name)).toEqual(names(5))
})

test('close gives up when its signal aborts, and tells what is lost', async () => {
  const { client, server, errors } = await startClient()
  server.outage = { status: 503 }
  trackMany(client, 5)
  const controller = new AbortController()
  const closed = client.close({ signal: controller.signal })
  await server.until(() => server.received.length > 0)
  controller.abort()
  expect(await closed).toBe(false)
  await server.until(() => errors.some(({ code, lostEvents }) => code === 'closed' && lostEvents === 5))
})

test('the client closes when its own signal aborts, and what is queued is sent first', async () => {
  const controller = new AbortController()
  const { client, server, errors } = await startClient({ signal: controller.signal, batchMs: 600_000 })
  trackMany(client, 5)
  controller.abort()
  expect(client.track('late', { userId: 'u1' })).toBe(false)
  expect(await client.close()).toBe(true)
  expect(server.counted().map(({ name }) => name)).toEqual(names(5))
  await server.until(() => errors.some(({ code }) => code === 'closed'))
})
