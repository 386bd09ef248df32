import { expect, test } from 'vitest'
import { names, startClient, trackMany } from './start-client.ts'

test('the oldest waiting events make room, never those in flight, and are reported', async () => {
  const { client, server, errors } = await startClient({
    batchEvents: 4,
    queueEvents: 10,
    retryMinMs: 600_000,
    retryMaxMs: 600_000,
  })
  // The first batch is sent again by flush, when all others wait, however slow the machine is.
  server.fail({ status: 503 })
  trackMany(client, 4)
  await server.until(() => errors.length === 1)
  for (const name of names(16, 4)) client.track(name, { userId: 'u1' })
  await client.flush()
  expect(server.stored.map(({ name }) => name)).toEqual([...names(4), ...names(6, 14)])
  await server.until(() => errors.length === 2)
  expect(errors[1]).toMatchObject({ code: 'queue_full', lostEvents: 10, retryable: false })
})

test('with the policy reject, new events are refused, told by track and reported', async () => {
  const { client, server, errors } = await startClient({ queueEvents: 3, batchEvents: 10, queuePolicy: 'reject' })
  expect(trackMany(client, 5)).toEqual([true, true, true, false, false])
  await client.flush()
  expect(server.stored.map(({ name }) => name)).toEqual(names(3))
  await server.until(() => errors.length === 1)
  expect(errors[0]).toMatchObject({ code: 'queue_full', lostEvents: 2 })
})

test('the queue is bounded in bytes too', async () => {
  const { client, server } = await startClient({ queueBytes: 10_000 })
  trackMany(client, 50, { text: 'x'.repeat(800) })
  await client.flush()
  const kept = server.stored.length
  expect(kept).toBeGreaterThan(8)
  expect(kept).toBeLessThan(12)
  expect(server.stored.at(-1)!.name).toBe('e49')
})
