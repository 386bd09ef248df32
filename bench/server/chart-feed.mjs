import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join } from 'node:path'
import { Server } from 'socket.io'
import { changedPoints, dayOfPoints } from '../load/minute-points.mjs'

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' }

/** Points as the question wants them: the expected range only for who asked for it. */
function asked(points, { anomalies }) {
  return anomalies ? points : points.map(({ band, anomaly, ...point }) => point)
}

/** Serves a page, and speaks live as the server does; its clock is moved by hand, so that an hour can pass in a minute. */
export async function startChartFeed(folder) {
  const rooms = new Map()
  const started = Date.now()
  let now = started - (started % 60_000)

  const http = createServer(async ({ url }, response) => {
    const { pathname } = new URL(url, 'http://host')
    const file = pathname === '/' ? 'index.html' : pathname.slice(1)
    try {
      const content = await readFile(join(folder, file))
      response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'text/plain' }).end(content)
    } catch {
      response.writeHead(404).end()
    }
  })
  const io = new Server(http, { path: '/live', transports: ['websocket'] })
  io.on('connection', (socket) => {
    socket.on('subscribe', (query, ack) => {
      const key = JSON.stringify(query)
      const room = rooms.get(key) ?? { id: `s${rooms.size}`, query, revision: 0 }
      rooms.set(key, room)
      socket.join(room.id)
      const series = [{ key: null, points: asked(dayOfPoints(now), query) }]
      const { metric, granularity } = query
      const snapshot = {
        kind: 'series',
        metric,
        granularity,
        timezone: 'UTC',
        asOf: now,
        approximate: false,
        tookMs: 1,
      }
      ack({ id: room.id, revision: room.revision, snapshot: { ...snapshot, series } })
    })
    socket.on('unsubscribe', ({ id }) => socket.leave(id))
  })
  await new Promise((resolve) => http.listen(0, '127.0.0.1', resolve))

  return {
    url: `http://127.0.0.1:${http.address().port}`,
    /** A second passes, and every viewer gets its delta. */
    advance() {
      now += 1000
      for (const room of rooms.values()) {
        const series = [{ key: null, points: asked(changedPoints(now), room.query) }]
        io.to(room.id).emit('delta', { id: room.id, revision: ++room.revision, asOf: now, series })
      }
    },
    stop: () => io.close(),
  }
}
