import { createServer, type IncomingMessage, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A proxy that forwards requests, and loses the answers that it is told to. */
export interface LosingProxy {
  url: string
  /** Requests that reached the server, by path, with the answer's status: `POST /v1/batch 200`. */
  readonly log: readonly string[]
  /** The next `count` answers are lost, after the server has given them. */
  loseAnswers(count: number): void
  /** The next `count` requests do not reach the server and are answered with this status. */
  answerWith(status: number, count: number, headers?: Record<string, string>): void
  close(): void
}

export async function startLosingProxy(target: string): Promise<LosingProxy> {
  const log: string[] = []
  let losing = 0
  let canned: { status: number; left: number; headers: Record<string, string> } = { status: 0, left: 0, headers: {} }
  const server = createServer((incoming, outgoing) => {
    if (canned.left > 0 && incoming.method === 'POST') {
      canned.left--
      incoming.resume()
      const cors = { 'access-control-allow-origin': '*', 'access-control-expose-headers': '*' }
      return outgoing.writeHead(canned.status, { ...cors, ...canned.headers }).end()
    }
    const { method, headers } = incoming
    // The page's own idea of the host stays, as behind any proxy.
    const forwarded = send(new URL(incoming.url as string, target), { method, headers }, (answer: IncomingMessage) => {
      log.push(`${method} ${incoming.url} ${answer.statusCode}`)
      if (losing > 0 && method === 'POST') {
        losing--
        return answer.resume().once('end', () => incoming.socket.destroy())
      }
      outgoing.writeHead(answer.statusCode as number, answer.headers)
      return answer.pipe(outgoing)
    })
    forwarded.on('error', () => incoming.socket.destroy())
    return incoming.pipe(forwarded)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    log,
    loseAnswers(count) {
      losing = count
    },
    answerWith(status, count, headers = {}) {
      canned = { status, left: count, headers }
    },
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
