import { expect, test, vi } from 'vitest'
import { createClient, type EventInput, type RejectedEvent } from '../src/index.ts'
import { startClient, trackMany } from './start-client.ts'

test('a rejected event is reported with its reason and does not harm its neighbours', async () => {
  const onRejected = vi.fn<(rejection: RejectedEvent, event: EventInput) => void>()
  const { client, server, errors } = await startClient({ onRejected })
  client.track('good', { userId: 'u1' })
  client.track('bad', { userId: 'u1', sku: 'A-1' })
  client.track('good', { userId: 'u1' })
  await client.flush()
  expect(server.stored).toHaveLength(2)
  expect(onRejected).toHaveBeenCalledTimes(1)
  const [rejection, event] = onRejected.mock.calls[0]!
  expect(rejection).toMatchObject({ index: 1, code: 'invalid_name', message: 'name is bad', id: event.id })
  expect(event).toMatchObject({ name: 'bad', userId: 'u1', properties: { sku: 'A-1' } })
  expect(errors).toEqual([])
})

test('a batch with every event rejected is reported event by event', async () => {
  const onRejected = vi.fn()
  const { client, server, errors } = await startClient({ onRejected })
  server.fail({
    status: 400,
    body: '{"error":{"code":"all_rejected"},"accepted":0,"rejected":[{"index":0,"code":"invalid_name","message":"x"}]}',
  })
  client.track('bad', { userId: 'u1' })
  await client.flush()
  expect(onRejected).toHaveBeenCalledTimes(1)
  expect(errors).toEqual([])
})

test('a batch refused for good is dropped and reported, and the next one goes on', async () => {
  const { client, server, errors } = await startClient({ batchEvents: 3, requestEvents: 3 })
  server.fail({ status: 403, body: '{"error":{"code":"unknown_key","message":"no such key"}}' })
  trackMany(client, 5)
  await client.flush()
  expect(server.stored.map(({ name }) => name)).toEqual(['e3', 'e4'])
  expect(errors).toHaveLength(1)
  expect(errors[0]).toMatchObject({ code: 'refused', lostEvents: 3, retryable: false })
  expect(errors[0]!.message).toContain('unknown_key')
})

test('one event that is too large for the server is dropped, its neighbours are not', async () => {
  const { client, server, errors } = await startClient()
  server.fail({ status: 413 }, {}, { status: 413 })
  trackMany(client, 2)
  await client.flush()
  expect(server.stored.map(({ name }) => name)).toEqual(['e0'])
  expect(errors).toHaveLength(1)
  expect(errors[0]).toMatchObject({ code: 'refused', lostEvents: 1 })
})

test('what cannot be JSON, or fits into no request, is reported at once', async () => {
  const { client, server, errors } = await startClient({ batchBytes: 2000 })
  const loop: Record<string, unknown> = {}
  loop.self = loop
  expect(client.track('loop', { userId: 'u1', loop })).toBe(false)
  expect(client.track('long', { userId: 'u1', text: 'x'.repeat(3000) })).toBe(false)
  expect(client.track('good', { userId: 'u1' })).toBe(true)
  await client.flush()
  expect(server.stored).toHaveLength(1)
  expect(errors.map(({ code }) => code)).toEqual(['invalid_event', 'invalid_event'])
})

test('callbacks that throw or reject harm nobody', async () => {
  const { client, server } = await startClient({
    onError: () => {
      throw new Error('from onError')
    },
    onRejected: async () => {
      throw new Error('from onRejected')
    },
  })
  server.fail({ status: 503 })
  client.track('bad', { userId: 'u1' })
  client.track('good', { userId: 'u1' })
  await client.flush()
  expect(server.counted()).toHaveLength(1)
})

test('known fields are lifted, and context goes along', async () => {
  const { client, server } = await startClient()
  client.track('purchase', {
    anonymousId: 'a1',
    revenue: '19.99',
    currency: 'EUR',
    timestamp: new Date(1_767_225_600_000),
    context: { ip: '192.0.2.1' },
    sku: 'A-1',
  })
  client.page({ userId: 'u1', url: 'https://shop.example/' })
  client.identify({ userId: 'u1', traits: { plan: 'pro' } })
  await client.flush()
  const [purchase, page, ...more] = server.stored
  expect(purchase).toEqual({
    id: expect.any(String),
    name: 'purchase',
    anonymousId: 'a1',
    revenue: '19.99',
    currency: 'EUR',
    timestamp: '2026-01-01T00:00:00.000Z',
    context: { ip: '192.0.2.1' },
    properties: { sku: 'A-1' },
  })
  expect(page).toMatchObject({ name: 'page_view', url: 'https://shop.example/', timestamp: expect.any(Number) })
  expect(more).toEqual([])
})

test('an option that is wrong is named', () => {
  const options = { key: 'nc_sec_test', url: 'http://127.0.0.1:1' }
  expect(() => createClient({ ...options, key: '' })).toThrow(/^key /)
  expect(() => createClient({ ...options, url: 'shop.example' })).toThrow(/^url /)
  expect(() => createClient({ ...options, requestEvents: 1001 })).toThrow(
    /^requestEvents must be a number from 1 to 1000$/,
  )
  expect(() => createClient({ ...options, batchMs: Number.NaN })).toThrow(/^batchMs /)
  expect(() => createClient({ ...options, queuePolicy: 'wait' as never })).toThrow(/^queuePolicy /)
})
