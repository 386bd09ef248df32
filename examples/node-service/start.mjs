// One command for all: a Nowcast server, and the service that reports to it. Yours run apart, joined by key and url.
import { serve } from '@hono/node-server'
import { createClient } from '@nowcast/node'
import { createNowcast, createReadToken } from '@nowcast/server'
import { createOrderService } from './order-service.mjs'

const port = Number(process.env.PORT ?? 3000)
const analyticsPort = Number(process.env.ANALYTICS_PORT ?? 4600)
const hostname = '127.0.0.1'
const url = `http://localhost:${analyticsPort}`

const nowcast = await createNowcast({ dataDir: process.env.DATA_DIR ?? './nowcast-data' })
await nowcast.start()
const analytics = serve({ fetch: nowcast.app.fetch, port: analyticsPort, hostname })
nowcast.attach(analytics)
const [{ id, readSecret, secretKey }] = nowcast.projects

// The secret key: only servers have it. Events wait in memory while Nowcast is away.
const client = createClient({ key: secretKey, url, onError: (error) => console.warn(error.message) })
const dashboard = `${url}/#token=${await createReadToken({ project: id, readSecret })}`
const service = serve({ fetch: createOrderService(client).fetch, port, hostname }, () => {
  const order = `'{"userId":"u1","sku":"S-1","quantity":2}'`
  console.log(`Order:     curl -H 'content-type: application/json' -d ${order} http://localhost:${port}/orders`)
  console.log(`Dashboard: ${dashboard}`)
})

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    service.close()
    // First sends what waits.
    await client.close({ timeoutMs: 5000 })
    analytics.close()
    await nowcast.stop()
    process.exit()
  })
}
