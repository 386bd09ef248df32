import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAdaptorServer } from '@hono/node-server'
import { type WebSocket, WebSocketServer } from 'ws'
import { createReadToken } from '../../packages/server/src/api/read-token.ts'
import { createNowcast, type Nowcast } from '../../packages/server/src/create-nowcast.ts'

/*
 * Answers viewers: as the whole server (`nowcast`), which is fed with events so that every question changes at each tick;
 * or as `ws` and nothing else, which sends the same bytes to groups as large. `usage` answers what it has taken so far.
 */

const PROJECT = {
  ...{ id: 'bench', writeKey: 'nc_pub_bench0000', secretKey: 'nc_sec_bench0000' },
  readSecret: 'the read secret of the benchmark',
}
const FEED_MS = 200
const TICK_MS = 1000

const dataDir = mkdtempSync(join(tmpdir(), 'nowcast-fanout-'))
let nowcast: Nowcast | undefined
let timer: NodeJS.Timeout | undefined

async function startNowcast(): Promise<object> {
  nowcast = await createNowcast({ dataDir, projects: [PROJECT] })
  const server = createAdaptorServer({ fetch: nowcast.app.fetch }) as Server
  nowcast.attach(server)
  await nowcast.start()
  const token = await createReadToken({ project: PROJECT.id, readSecret: PROJECT.readSecret })
  const { app } = nowcast
  let user = 0
  timer = setInterval(() => {
    const events = Array.from({ length: 20 }, () => ({ name: 'page_view', userId: `u${user++ % 1000}` }))
    void app.request('/v1/events', {
      method: 'POST',
      headers: { authorization: `Bearer ${PROJECT.secretKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ events }),
    })
  }, FEED_MS)
  return { port: await listen(server), token }
}

/** Each second every group gets a message of its own, which says when the second began. */
async function startWs(bytes: number): Promise<object> {
  const server = createServer()
  const groups = new Map<string, Set<WebSocket>>()
  new WebSocketServer({ server, perMessageDeflate: false }).on('connection', (socket, { url = '/' }) => {
    const group = groups.get(url) ?? new Set()
    groups.set(url, group.add(socket))
    socket.on('close', () => group.delete(socket))
  })
  timer = setInterval(() => {
    for (const group of groups.values()) {
      const message = JSON.stringify({ asOf: Date.now() })
      const text = `${message.slice(0, -1)},"rest":"${'x'.repeat(Math.max(0, bytes - message.length - 10))}"}`
      for (const socket of group) socket.send(text)
    }
  }, TICK_MS)
  return { port: await listen(server) }
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

async function usage(): Promise<object> {
  globalThis.gc?.()
  const { user, system } = process.cpuUsage()
  const text = nowcast ? await (await nowcast.app.request('/metrics')).text() : ''
  const figure = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? 0)
  return {
    ...{ cpuMs: (user + system) / 1000, rssBytes: process.memoryUsage().rss, heap: process.memoryUsage().heapUsed },
    ...{ liveBytes: figure('nowcast_live_bytes_total'), ticks: figure('nowcast_live_tick_seconds_count') },
  }
}

type Message = 'nowcast' | 'usage' | { ws: number }

process.on('message', async (message: Message) => {
  try {
    if (message === 'nowcast') process.send?.(await startNowcast())
    else if (message === 'usage') process.send?.(await usage())
    else process.send?.(await startWs(message.ws))
  } catch (error) {
    process.send?.({ error: String((error as Error).stack) })
  }
})
process.on('disconnect', async () => {
  clearInterval(timer)
  await nowcast?.stop()
  rmSync(dataDir, { recursive: true, force: true })
  process.exit()
})
