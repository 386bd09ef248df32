// Nowcast inside an existing hono app: its routes under /analytics, read tokens from the app's own login.
import { createAdaptorServer } from '@hono/node-server'
import { createNowcast, createReadToken } from '@nowcast/server'
import { Hono } from 'hono'

const port = Number(process.env.PORT ?? 3000)
const nowcast = await createNowcast({ dataDir: process.env.DATA_DIR ?? './nowcast-data' })
const [project] = nowcast.projects

const app = new Hono()
app.get('/', (context) => context.text('The host app. Its analytics are at /analytics/, a token at /token.'))
// Whoever is logged in may read; here everybody is.
app.get('/token', async (context) =>
  context.json({
    token: await createReadToken({ project: project.id, readSecret: project.readSecret, expires: 3600 }),
  }),
)
app.route('/analytics', nowcast.app)

const server = createAdaptorServer({ fetch: app.fetch })
nowcast.attach(server, { path: '/analytics/live' })
await nowcast.start()
server.listen(port, '127.0.0.1', () => console.log(`http://localhost:${port}, write key ${project.writeKey}`))

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    server.close()
    await nowcast.stop()
    process.exit(0)
  })
}
