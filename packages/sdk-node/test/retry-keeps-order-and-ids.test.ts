import { expect, test } from 'vitest'
import { names, startClient, trackMany } from './start-client.ts'

test('events of one moment go in one request, and batches follow in order, one at a time', async () => {
  const { client, server } = await startClient({ batchEvents: 10, requestEvents: 10 })
  trackMany(client, 35)
  await client.flush()
  expect(server.received.map(({ ids }) => ids.length)).toEqual([10, 10, 10, 5])
  expect(server.stored.map(({ name }) => name)).toEqual(names(35))
  expect(server.mostAtOnce).toBe(1)
  const ids = server.stored.map(({ id }) => id!)
  expect(ids).toEqual([...ids].sort())
})

test('a batch waits for batchMs, not for flush', async () => {
  const { client, server } = await startClient({ batchMs: 30 })
  trackMany(client, 3)
  await server.until(() => server.stored.length === 3)
  expect(server.received).toHaveLength(1)
  expect(server.received[0]!.body.sentAt).toBeTypeOf('number')
})

test('a batch that fails is sent again with the same events, whatever came in meanwhile', async () => {
  const { client, server, errors } = await startClient({ requestTimeoutMs: 1000 })
  server.fail({ status: 503 }, { status: 500 }, { status: 429 }, { status: 408 }, { reset: true }, { delayMs: 1500 })
  trackMany(client, 5)
  const flushed = client.flush()
  await server.until(() => server.received.length > 1)
  client.track('e5', { userId: 'u1' })
  await flushed
  await client.flush()

  const [first, ...again] = server.received
  for (const { ids } of again.slice(0, 6)) expect(ids).toEqual(first!.ids)
  expect(server.counted().map(({ name }) => name)).toEqual(names(6))
  expect(server.mostAtOnce).toBeLessThanOrEqual(2) // the one that timed out is still in the server
  // A kept-alive connection that breaks is tried again at once, without a report.
  expect(errors.map(({ code }) => code)).toEqual([...Array(4).fill('unavailable'), 'unreachable'])
  for (const error of errors) expect(error).toMatchObject({ retryable: true, lostEvents: 0 })
})

test('a batch that was stored before the connection broke is counted once', async () => {
  const { client, server } = await startClient({ batchEvents: 4, requestEvents: 4 })
  server.fail({ reset: true, store: true }, {}, { status: 503, store: true })
  trackMany(client, 12)
  await client.flush()
  expect(server.stored).toHaveLength(20)
  expect(server.counted().map(({ name }) => name)).toEqual(names(12))
})

test('Retry-After is waited for, also by flush', async () => {
  const { client, server } = await startClient()
  server.fail({ status: 503, retryAfter: '1' })
  trackMany(client, 1)
  await client.flush()
  const [refused, accepted] = server.received
  expect(accepted!.at - refused!.at).toBeGreaterThanOrEqual(990)
})

test('a server that is down at first gets everything once it is up', async () => {
  const { client, server, errors } = await startClient()
  server.fail(...Array(5).fill({ reset: true }))
  trackMany(client, 50)
  await client.flush()
  expect(server.stored.map(({ name }) => name)).toEqual(names(50))
  expect(errors).toHaveLength(5)
})

test('a batch that is too large is split in order', async () => {
  const { client, server, errors } = await startClient({ batchEvents: 100 })
  server.largestBatch = 15
  trackMany(client, 100)
  await client.flush()
  expect(server.stored.map(({ name }) => name)).toEqual(names(100))
  expect(errors).toEqual([])
})

test('large bodies go as gzip over one kept-alive connection, with the key in the header', async () => {
  const { client, server } = await startClient({ gzipMinBytes: 2000 })
  trackMany(client, 100, { page: 'x'.repeat(50) })
  await client.flush()
  trackMany(client, 1)
  await client.flush()
  const [large, small] = server.received
  expect(large!.headers).toMatchObject({ 'content-encoding': 'gzip', 'content-type': 'application/json' })
  expect(large!.bytes).toBeLessThan(10_000)
  expect(small!.headers['content-encoding']).toBeUndefined()
  expect(small!.headers.authorization).toBe('Bearer nc_sec_test')
  expect(small!.body.key).toBeUndefined()
})

test('batches stay below batchBytes', async () => {
  const { client, server } = await startClient({ batchBytes: 10_000 })
  trackMany(client, 20, { text: 'ü'.repeat(1000) })
  await client.flush()
  expect(server.received).toHaveLength(5)
  expect(server.counted()).toHaveLength(20)
})
