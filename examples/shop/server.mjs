// The shop's backend: serves the built pages, has Nowcast under /analytics, and signs the seller's read token.
import { serve } from '@hono/node-server'
import { serveStatic } from '@hono/node-server/serve-static'
import { createNowcast, createReadToken } from '@nowcast/server'
import { Hono } from 'hono'

const port = Number(process.env.PORT ?? 3000)
const nowcast = await createNowcast({ dataDir: process.env.DATA_DIR ?? './nowcast-data' })
const [project] = nowcast.projects

const app = new Hono()
app.route('/analytics', nowcast.app)

// The write key is public: every visitor's browser sends with it.
app.get('/write-key', (context) => context.text(project.writeKey))

// Whoever holds this token sees shoes, whatever their browser asks for. A real shop asks who they are first:
// examples/embed-hono has a login.
app.get('/seller-token', async (context) => {
  const { id, readSecret } = project
  return context.text(
    await createReadToken({ project: id, readSecret, filters: { category: ['shoes'] }, expires: 3600 }),
  )
})

app.use(serveStatic({ root: './dist' }))
app.get('/seller', serveStatic({ path: './dist/index.html' }))

await nowcast.start()
const server = serve({ fetch: app.fetch, port, hostname: '127.0.0.1' }, () => {
  console.log(`The shop: http://localhost:${port}`)
  console.log(`The seller of shoes sees: http://localhost:${port}/seller`)
})
nowcast.attach(server, { path: '/analytics/live' })

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    server.close()
    await nowcast.stop()
    process.exit()
  })
}
