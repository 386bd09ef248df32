// One command for all: a Nowcast server, and beside it the site that the page is on.
import { readFile } from 'node:fs/promises'
import { serve } from '@hono/node-server'
import { createNowcast, createReadToken } from '@nowcast/server'
import { Hono } from 'hono'

const port = Number(process.env.PORT ?? 3000)
const analyticsPort = Number(process.env.ANALYTICS_PORT ?? 4600)
const hostname = '127.0.0.1'

const nowcast = await createNowcast({ dataDir: process.env.DATA_DIR ?? './nowcast-data' })
await nowcast.start()
const analytics = serve({ fetch: nowcast.app.fetch, port: analyticsPort, hostname })
nowcast.attach(analytics)
const [{ id, readSecret, writeKey }] = nowcast.projects

const values = { url: `http://localhost:${analyticsPort}`, writeKey }
const page = await readFile(new URL('index.html', import.meta.url), 'utf8')
const socketClient = await readFile(new URL(import.meta.resolve('socket.io-client/dist/socket.io.js')))

const site = new Hono()
site.get('/', (context) => context.html(page.replace(/{{(\w+)}}/g, (_, name) => values[name])))
site.get('/socket.io.js', (context) => context.body(socketClient, 200, { 'content-type': 'text/javascript' }))
// Shows everybody one figure: the token answers questions about purchases only.
site.get('/read-token', async (context) =>
  context.text(await createReadToken({ project: id, readSecret, metrics: ['purchases'], expires: 3600 })),
)
const server = serve({ fetch: site.fetch, port, hostname }, () => console.log(`The page: http://localhost:${port}`))

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    server.close()
    analytics.close()
    await nowcast.stop()
    process.exit()
  })
}
