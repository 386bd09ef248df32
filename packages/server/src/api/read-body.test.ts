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
