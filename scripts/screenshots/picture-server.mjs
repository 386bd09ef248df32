import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getRequestListener } from '@hono/node-server'
import { createNowcast, createReadToken } from '../../packages/server/dist/index.js'

const BATCH = 500
const NAMES = { shop: 'Demo shop', world: 'Worldwide', empty: 'Just installed' }

/** A server with a project for each kind of picture, on a free port and an empty folder. */
export async function startPictureServer() {
  const folder = await mkdtemp(join(tmpdir(), 'nowcast-pictures-'))
  const secret = () => randomBytes(24).toString('hex')
  const projects = Object.entries(NAMES).map(([id, name]) => ({
    ...{ id, name, currency: 'EUR', timezone: 'UTC' },
    ...{ writeKey: `nc_pub_${secret()}`, secretKey: `nc_sec_${secret()}`, readSecret: secret() },
  }))
  const nowcast = await createNowcast({ dataDir: folder, projects, logLevel: 'error' })
  const server = createServer(getRequestListener(nowcast.app.fetch))
  nowcast.attach(server)
  await nowcast.start()
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${server.address().port}`
  const projectOf = (id) => projects.find((project) => project.id === id)

  async function post(path, key, body) {
    const response = await fetch(url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}` },
      body: JSON.stringify(body),
    })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return response.json()
  }
  const tokenOf = (id, filters) =>
    createReadToken({ project: id, readSecret: projectOf(id).readSecret, filters, expires: 3600 })

  return {
    url,
    tokenOf,
    async send(id, events) {
      for (let at = 0; at < events.length; at += BATCH) {
        const { rejected } = await post('/v1/events', projectOf(id).secretKey, { events: events.slice(at, at + BATCH) })
        if (rejected.length > 0) throw new Error(`refused: ${rejected[0].message}`)
      }
    },
    /** Resolves when history has everything that was sent before. */
    async settled(id) {
      const token = await tokenOf(id)
      const range = { last: '48h' }
      const count = async (query) => await post('/v1/query', token, { metric: 'events', range, bots: true, ...query })
      for (;;) {
        const { v } = await count({ kind: 'total' })
        const { rows } = await count({ kind: 'breakdown', breakdown: 'browser', limit: 100 })
        if (v > 0 && rows.reduce((sum, row) => sum + row.v, 0) === v) return
        await new Promise((resolve) => setTimeout(resolve, 250))
      }
    },
    /** Ends all connections: viewers then see how old their figures are. */
    async stop() {
      server.close()
      await nowcast.stop()
      server.closeAllConnections()
      await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
    },
  }
}
