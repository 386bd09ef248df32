import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type RecordingServer, SECRET_KEY, startRecordingServer } from '../../test/import/recording-server.ts'
import { createEventSender, type EventSenderOptions } from './event-sender.ts'

let server: RecordingServer

beforeEach(async () => {
  server = await startRecordingServer()
})
afterEach(() => server.close())

const senderOf = (options: Partial<EventSenderOptions> = {}) =>
  createEventSender({ url: server.url, key: SECRET_KEY, ...options })

it('keeps the order of each sender through lost requests and lost answers', async () => {
  const faults = [undefined, 'lost', 'unanswered', 'unavailable', 'slow'] as const
  server.fault = (request) => faults[request % faults.length]
  const settled = new Set<number>()
  const sender = senderOf({ onSettled: (tag) => settled.add(tag) })
  for (let i = 0; i < 12_000; i++) {
    sender.push({ id: `x:${i}`, name: 'click', anonymousId: `v${i % 11}` }, i)
    if (i % 100 === 0) await sender.ready()
  }
  await sender.drain()
  expect(settled.size).toBe(12_000)
  expect(server.ids.size).toBe(12_000)
  expect(server.repeats).toBeGreaterThan(0)
  expect(server.disordered).toEqual([])
})

it('keeps requests below the bounds of a body', async () => {
  const sender = senderOf()
  const title = 'é'.repeat(20_000)
  for (let i = 0; i < 200; i++) sender.push({ id: `x:${i}`, name: 'click', userId: 'u', title }, i)
  expect(sender.push({ name: 'click', userId: 'u', title: 'x'.repeat(900_000) }, 200)).toBe(false)
  await sender.drain()
  expect(server.ids.size).toBe(200)
  expect(server.requests).toBeGreaterThanOrEqual(8)
})

it('sends what it holds after a moment, without being asked', async () => {
  const settled = new Promise<number>((resolve) => {
    senderOf({ onSettled: resolve }).push({ id: 'x:1', name: 'click', userId: 'u' }, 42)
  })
  expect(await settled).toBe(42)
})

it('tells which event was refused and why', async () => {
  server.refuse = ({ userId }) => (userId === 'bad' ? { code: 'invalid_user', message: 'Bad user.' } : undefined)
  const refused: [number, string][] = []
  const sender = senderOf({ onSettled: (tag, rejection) => rejection && refused.push([tag, rejection.message]) })
  for (let i = 0; i < 10; i++) sender.push({ id: `x:${i}`, name: 'click', userId: i % 5 ? 'good' : 'bad' }, i)
  await sender.drain()
  expect(refused.sort()).toEqual([
    [0, 'Bad user.'],
    [5, 'Bad user.'],
  ])
})

it('fails at once where no repeat can help', async () => {
  const other = createServer((_, response) => response.end('<html>'))
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}/`
  for (const [options, code, message] of [
    [{ key: 'nc_sec_other' }, 'refused', /secret key/],
    [{ url }, 'refused', /check the URL/],
    [{ url: `${server.url}/elsewhere` }, 'refused', /no Nowcast server/],
    [{ url: 'no address' }, 'unreachable', /check the address/],
  ] as const) {
    const sender = senderOf(options)
    sender.push({ name: 'click', userId: 'u' }, 1)
    await expect(sender.drain()).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
    await expect(sender.ready()).rejects.toMatchObject({ code })
  }
  other.close()
})

it('waits for a server that is not there yet', async () => {
  const { url } = server
  await server.close()
  const notices: string[] = []
  const sender = createEventSender({
    url,
    key: SECRET_KEY,
    giveUpAfterMs: 500,
    onWaiting: (text) => notices.push(text),
  })
  sender.push({ name: 'click', userId: 'u' }, 1)
  await expect(sender.drain()).rejects.toMatchObject({ code: 'unreachable' })
  expect(notices[0]).toMatch(/Cannot reach .*ECONNREFUSED.*trying again in/)
})
