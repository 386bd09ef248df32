// Nowcast inside an existing hono app: its routes under /analytics, its read tokens behind the app's own login.
import { randomBytes } from 'node:crypto'
import { serve } from '@hono/node-server'
import { createClient } from '@nowcast/node'
import { createNowcast, createReadToken } from '@nowcast/server'
import { Hono } from 'hono'
import { createInvoicingApp } from './invoicing-app.mjs'

const port = Number(process.env.PORT ?? 3000)
const fresh = () => randomBytes(32).toString('base64url')
// Fresh keys at each start will do, since nobody outside holds any. Yours come from your secrets.
const project = {
  id: 'invoices',
  writeKey: `nc_pub_${fresh()}`,
  secretKey: `nc_sec_${fresh()}`,
  readSecret: fresh(),
  // A property that filters live, like country: each tenant gets its own figures.
  hotDimensions: ['tenant'],
}
const nowcast = await createNowcast({ dataDir: process.env.DATA_DIR ?? './nowcast-data', projects: [project] })
const client = createClient({ key: project.secretKey, url: `http://127.0.0.1:${port}/analytics` })

const app = new Hono()
app.route('/analytics', nowcast.app)
app.route(
  '/',
  createInvoicingApp({
    onPaid: ({ user, tenant, amount }) => client.track('purchase', { userId: user, revenue: amount, tenant }),
    readTokenFor: (tenant) => {
      const { id, readSecret } = project
      return createReadToken({ project: id, readSecret, filters: { tenant: [tenant] }, expires: 3600 })
    },
  }),
)

await nowcast.start()
const server = serve({ fetch: app.fetch, port, hostname: '127.0.0.1' }, () =>
  console.log(`Invoices: http://localhost:${port}, log in as ada (password ada) or gus (password gus)`),
)
nowcast.attach(server, { path: '/analytics/live' })

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await client.close({ timeoutMs: 5000 })
    server.close()
    await nowcast.stop()
    process.exit()
  })
}
