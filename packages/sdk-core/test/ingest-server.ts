import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import type { EventBatch, EventInput } from '@nowcast/protocol'

/** How a request is treated instead of being stored and answered 202. */
export interface Fault {
  /** Answer this; a batch with an error status is not stored. */
  status?: number
  retryAfter?: string
  body?: string
  /** Break the connection instead of answering. */
  reset?: boolean
  /** Store the batch all the same. */
  store?: boolean
  /** Wait before answering. */
  delayMs?: number
}

/** One request as it arrived. */
export interface Received {
  at: number
  method: string
  headers: http.IncomingHttpHeaders
  bytes: number
  body: EventBatch
  ids: string[]
}

/** A real HTTP server that takes events like Nowcast's, and fails when told to. */
export interface IngestServer {
  url: string
  received: Received[]
  /** Every event stored, in order, repeats included. */
  stored: EventInput[]
  /** Requests that were in the server at the same time at most. */
  mostAtOnce: number
  /** Batches with more events are answered 413. */
  largestBatch: number
  /** Faults of the next requests, in order. */
  fail(...faults: Fault[]): void
  /** What happens to every request once the faults are used up; undefined when nothing is wrong. */
  outage: Fault | undefined
  /** Forgets the faults that are left, and the outage. */
  recover(): void
  /** Refuses connections, as when the server's process is gone. */
  down(): Promise<void>
  /** Takes connections again, on the same port. */
  up(): Promise<void>
  /** The stored events, each id once, in the order of first arrival. */
  counted(): EventInput[]
  /** Waits until `condition` holds, for 60 s at most. */
  until(condition: () => boolean): Promise<void>
  stop(): Promise<void>
}

function batchOf(text: string): EventBatch | undefined {
  try {
    return JSON.parse(text)
  } catch {}
}

/** Starts an ingest server on a free loopback port; events named `bad` are rejected. */
export async function startIngestServer(): Promise<IngestServer> {
  const faults: Fault[] = []
  let atOnce = 0

  async function receive(request: http.IncomingMessage, response: http.ServerResponse) {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const wire = Buffer.concat(chunks)
    response.setHeader('access-control-allow-origin', '*')
    response.setHeader('access-control-expose-headers', 'retry-after')
    const text = request.headers['content-encoding'] === 'gzip' ? gunzipSync(wire) : wire
    const body = request.method === 'POST' ? batchOf(text.toString()) : { events: [] }
    if (!body) return void response.writeHead(400).end('{"error":{"code":"invalid_json","message":"no JSON"}}')
    const ids = body.events.map((event) => event.id!)
    const { method = '', headers } = request
    server.received.push({ at: Date.now(), method, headers, bytes: wire.length, body, ids })

    const fault = faults.shift() ?? server.outage ?? {}
    const status = fault.status ?? (ids.length > server.largestBatch ? 413 : 202)
    if (fault.store ?? (status === 202 && !fault.reset)) {
      server.stored.push(...body.events.filter((event) => event.name !== 'bad'))
    }
    if (fault.delayMs) await sleep(fault.delayMs)
    if (fault.reset) return void request.socket.destroy()
    if (fault.retryAfter) response.setHeader('retry-after', fault.retryAfter)
    const rejected = body.events.flatMap(({ id, name }, index) =>
      name === 'bad' ? [{ index, id, code: 'invalid_name', message: 'name is bad' }] : [],
    )
    response.statusCode = status
    response.end(fault.body ?? JSON.stringify({ accepted: ids.length - rejected.length, rejected }))
  }

  const listener = http.createServer(async (request, response) => {
    server.mostAtOnce = Math.max(server.mostAtOnce, ++atOnce)
    await receive(request, response).catch(() => response.destroy())
    atOnce--
  })
  const listen = async (port: number) => {
    listener.listen(port, '127.0.0.1')
    await once(listener, 'listening')
  }
  const close = async () => {
    if (!listener.listening) return
    listener.closeAllConnections()
    listener.close()
    await once(listener, 'close')
  }
  await listen(0)
  const { port } = listener.address() as AddressInfo

  const server: IngestServer = {
    url: `http://127.0.0.1:${port}`,
    received: [],
    stored: [],
    mostAtOnce: 0,
    largestBatch: 1000,
    fail: (...more) => void faults.push(...more),
    outage: undefined,
    recover() {
      faults.splice(0)
      server.outage = undefined
    },
    counted: () => [...new Map(server.stored.map((event) => [event.id, event])).values()],
    async until(condition) {
      const deadline = Date.now() + 60_000
      while (!condition()) {
        if (Date.now() > deadline) throw new Error(`not within 60 s: ${condition}`)
        await sleep(10)
      }
    },
    down: close,
    up: () => listen(port),
    stop: close,
  }
  return server
}
