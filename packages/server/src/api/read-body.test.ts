import { setTimeout } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { Hono } from 'hono'
import { expect, test } from 'vitest'
import { createBodyReader } from './read-body.ts'

const events = { events: [{ name: 'click', userId: 'Zoë' }] }
const bytes = new TextEncoder().encode(JSON.stringify(events))

/** What an app that is called without a server of Node's makes of a body that comes in such pieces. */
async function readBody(pieces: readonly Uint8Array[], headers: Record<string, string> = {}): Promise<unknown> {
  const reader = createBodyReader()
  const app = new Hono().post('/', async (context) => context.json((await reader.readJson(context)).value as object))
  const body = new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece)
      controller.close()
    },
  })
  const request = new Request('http://host/', { method: 'POST', body, headers, duplex: 'half' } as RequestInit)
  return (await app.request(request)).json()
}

test('a body is read the same in one piece, in many, and as gzip, also where the host is no server of Node’s', async () => {
  expect(await readBody([bytes])).toEqual(events)
  expect(await readBody([bytes.subarray(0, 30), bytes.subarray(30, 31), bytes.subarray(31)])).toEqual(events)
  expect(await readBody([new Uint8Array(gzipSync(bytes))], { 'content-encoding': 'gzip' })).toEqual(events)
})

test('a body that is part of a larger memory is read alone', async () => {
  const larger = new Uint8Array(bytes.length + 20).fill(120)
  larger.set(bytes, 10)
  expect(await readBody([larger.subarray(10, 10 + bytes.length)])).toEqual(events)
})

test('what has come in is bounded, whatever was announced, and is let go of at the end of each request', async () => {
  const reader = createBodyReader(1000)
  const app = new Hono().post('/', async (context) => {
    const read = reader.readJson(context).then(({ value }) => value)
    return context.json(await read.catch(({ code }) => code))
  })
  const send = (pieces: Uint8Array[], announced = '') => {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
    const writer = writable.getWriter()
    for (const piece of pieces) writer.write(piece).catch(() => {})
    const headers = announced ? { 'content-length': announced } : {}
    const request = new Request('http://host/', {
      method: 'POST',
      body: readable,
      headers,
      duplex: 'half',
    } as RequestInit)
    const answer = (async () => (await app.request(request)).json())()
    return { end: () => writer.close(), answer }
  }
  const whole = (pieces: Uint8Array[]) => {
    const sent = send(pieces)
    sent.end().catch(() => {})
    return sent.answer
  }
  const slow = Array.from({ length: 5 }, () => send([new Uint8Array([123])], '1000000'))
  const large = send([new Uint8Array(900).fill(32)])
  await setTimeout(20)
  expect(await whole([bytes])).toEqual(events)
  expect(await whole([bytes, new Uint8Array(100).fill(32)])).toBe('buffer_full')
  await large.end()
  expect(await large.answer).toBe('invalid_json')
  expect(await whole([bytes, new Uint8Array(100).fill(32)])).toEqual(events)
  for (const { end, answer } of slow) {
    await end()
    expect(await answer).toBe('invalid_json')
  }
  expect(await whole([bytes, new Uint8Array(1000 - bytes.length).fill(32)])).toEqual(events)
})
