import http from 'node:http'
import https from 'node:https'
import { promisify } from 'node:util'
import { constants, gzip } from 'node:zlib'
import { type DeliveryAnswer, endpointOf, type QueuedEvent } from '@nowcast/sdk-core'
import type { ResolvedOptions } from './options.ts'

/** The HTTP side of a client: one kept-alive connection. */
export interface Post {
  /** Posts a batch of events; rejects when there is no answer in time. */
  send(events: QueuedEvent[]): Promise<DeliveryAnswer>
  /** Ends the connection, and the request in flight with it. */
  close(): void
}

const gzipAsync = promisify(gzip)

/** Makes the HTTP side of a client. */
export function createPost({ url, key, requestTimeoutMs, gzipMinBytes }: ResolvedOptions): Post {
  const endpoint = new URL(endpointOf(url))
  const { request, Agent } = endpoint.protocol === 'https:' ? https : http
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  let inFlight: http.ClientRequest | undefined

  function post(body: Buffer, headers: http.OutgoingHttpHeaders, isRepeat = false): Promise<DeliveryAnswer> {
    return new Promise((resolve, reject) => {
      const current = request(endpoint, { method: 'POST', agent, headers })
      inFlight = current
      const timeout = setTimeout(
        () => current.destroy(new Error(`no answer within ${requestTimeoutMs} ms`)),
        requestTimeoutMs,
      )
      const fail = (error: NodeJS.ErrnoException) => {
        clearTimeout(timeout)
        // The server closed a kept-alive connection just as we wrote to it: nothing is wrong with the server.
        if (current.reusedSocket && error.code === 'ECONNRESET' && !isRepeat) resolve(post(body, headers, true))
        else reject(error)
      }
      current.on('error', fail)
      current.on('response', (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk) => chunks.push(chunk))
        response.on('error', fail)
        response.on('end', () => {
          clearTimeout(timeout)
          resolve({
            status: response.statusCode!,
            retryAfter: response.headers['retry-after'],
            body: Buffer.concat(chunks).toString(),
          })
        })
      })
      current.end(body)
    })
  }

  return {
    async send(events) {
      const json = Buffer.from(`{"sentAt":${Date.now()},"events":[${events.map(({ json }) => json).join()}]}`)
      const isLarge = json.length >= gzipMinBytes
      const body = isLarge ? await gzipAsync(json, { level: constants.Z_BEST_SPEED }) : json
      return post(body, {
        authorization: `Bearer ${key}`,
        'content-type': 'application/json',
        'content-length': body.length,
        ...(isLarge && { 'content-encoding': 'gzip' }),
      })
    },
    close() {
      inFlight?.destroy(new Error('the client gave up'))
      agent.destroy()
    },
  }
}
