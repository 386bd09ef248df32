import type { Server, ServerResponse } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import { createNowcast, type Nowcast, type NowcastOptions } from '../create-nowcast.ts'

const CLOSE_IDLE_MS = 50

export interface Served {
  nowcast: Nowcast
  /** Where it answers, without a slash at the end. */
  url: string
  stop(): Promise<void>
}

/** The address cannot be listened on; the message says what to do. */
class ListenError extends Error {
  override name = 'ListenError'
}

/** Starts a server on its data directory and listens. */
export async function serve(options: NowcastOptions & { port: number; host: string }): Promise<Served> {
  const { port, host } = options
  const nowcast = await createNowcast(options)
  const server = createAdaptorServer({
    fetch: nowcast.app.fetch,
    // Whoever sends headers or a body drop by drop is cut off.
    serverOptions: {
      ...{ headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 65_000 },
      connectionsCheckingInterval: 2000,
    },
  }) as Server
  nowcast.attach(server)
  try {
    await listen(server, port, host)
    await nowcast.start()
  } catch (error) {
    server.close()
    await nowcast.stop().catch(() => {})
    throw error
  }
  const address = server.address()
  const bound = typeof address === 'object' && address ? address.port : port
  const shown = host === '0.0.0.0' || host === '::' || host === '127.0.0.1' ? 'localhost' : host
  const url = `http://${shown}:${bound}`
  await nowcast.announce(`http://${host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host}:${bound}`)
  return {
    nowcast,
    url,
    async stop() {
      server.close()
      // Whoever keeps a connection and asks again and again would keep the server from closing.
      server.prependListener('request', (_request, response: ServerResponse) => {
        response.shouldKeepAlive = false
      })
      const closing = setInterval(() => server.closeIdleConnections(), CLOSE_IDLE_MS)
      await nowcast.stop()
      clearInterval(closing)
      server.closeAllConnections()
    },
  }
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const reasons: Record<string, string> = {
        EADDRINUSE: `port ${port} on ${host} is in use: stop what uses it, or choose another with --port`,
        EACCES: `port ${port} on ${host} may not be used by this user: choose one above 1023 with --port`,
        EADDRNOTAVAIL: `${host} is no address of this machine: choose another with --host`,
      }
      reject(new ListenError(reasons[error.code ?? ''] ?? `${host}:${port} cannot be listened on: ${error.message}`))
    })
    server.listen(port, host, () => resolve())
  })
}
