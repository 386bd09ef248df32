import { expect, test } from 'vitest'
import { names, startClient, trackMany } from './start-client.ts'

test('close sends what is queued, over failures, and takes no more', async () => {
  const { client, server, errors } = await startClient({ batchEvents: 10, batchMs: 10_000 })
  server.fail({ status: 503 }, { reset: true })
  trackMany(client, 25)
  const closed = client.close()
  expect(client.track('late', { userId: 'u1' })).toBe(false)
  await closed
  expect(server.counted().map(({ name }) => name)).toEqual(names(25))
  expect(errors.map(({ code }) => code)).toContain('closed')
  await client.close()
})

test('close cuts a long wait short', async () => {
  const { client, server, errors } = await startClient({ retryMinMs: 60_000, retryMaxMs: 60_000 })
  server.fail({ status: 503 })
  trackMany(client, 1)
  await server.until(() => errors.length === 1)
  await client.close()
  expect(server.stored).toHaveLength(1)
})

test('close gives up at its deadline and tells how many events are lost', async () => {
  const { client, server, errors } = await startClient()
  server.fail({ delayMs: 60_000, status: 503 })
  trackMany(client, 7)
  const startedAt = Date.now()
  await client.close({ timeoutMs: 150 })
  expect(Date.now() - startedAt).toBeLessThan(30_000)
  await server.until(() => errors.length > 0)
  expect(errors.at(-1)).toMatchObject({ code: 'closed', lostEvents: 7 })
})

test('flush gives up at its deadline, and the events stay', async () => {
  const { client, server } = await startClient()
  server.fail({ status: 503, retryAfter: '1' })
  trackMany(client, 1)
  await client.flush({ timeoutMs: 100 })
  expect(server.stored).toHaveLength(0)
  await client.flush()
  expect(server.stored).toHaveLength(1)
})
