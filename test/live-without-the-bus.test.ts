import type { LiveDelta, LiveSnapshot, TotalAnswer } from '@nowcast/protocol'
import { io, type Socket } from 'socket.io-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { knownProject, readTokenOf } from './servers/known-projects.ts'
import { ask, request, sendEvents } from './servers/requests.ts'
import { isRedisSkipped, startRedis, type TestRedis } from './servers/start-redis.ts'
import { startServer, type TestServer } from './servers/start-server.ts'
import { startTcpProxy, type TcpProxy } from './servers/tcp-proxy.ts'
import { until } from './servers/until.ts'

const SHOP = knownProject('shop', {})
const token = readTokenOf(SHOP)
const QUERY = { kind: 'total', metric: 'events', range: { last: '30m' } }
const WAIT_MS = 90_000
type Readyz = { parts: { live: { ready: boolean; message?: string } } }

describe.skipIf(isRedisSkipped)('a node that loses the bus', () => {
  let redis: TestRedis
  let way: TcpProxy
  let server: TestServer
  let socket: Socket
  beforeAll(async () => {
    redis = await startRedis({ settings: { 'maxmemory-policy': 'noeviction' } })
    way = await startTcpProxy(redis)
    server = await startServer({ config: { projects: [SHOP], redis: `redis://${way.address}` } })
    socket = io(server.url, { path: '/live', transports: ['websocket'], auth: { token } })
  })
  afterAll(async () => {
    socket?.disconnect()
    await server?.remove()
    await way?.stop()
    await redis?.remove()
  })

  const live = async () => (await request<Readyz>(`${server.url}/readyz`)).body.parts.live

  it('falls back to reading, says so in /readyz, and comes back', async () => {
    const first = (await socket.timeout(WAIT_MS).emitWithAck('subscribe', QUERY)) as LiveSnapshot
    let seen = (first.snapshot as TotalAnswer).v
    let { revision } = first
    const gaps: number[] = []
    socket.on('delta', (delta: LiveDelta) => {
      if (delta.revision !== revision + 1) gaps.push(delta.revision)
      revision = delta.revision
      seen = (delta.answer as TotalAnswer).v
    })
    let sent = 0
    const isSeen = async () => {
      await sendEvents(server.url, SHOP.secretKey, [{ name: 'click', userId: `u${sent++}` }])
      await until(sent, () => seen, WAIT_MS)
    }
    await isSeen()
    await until(true, async () => (await live()).ready, WAIT_MS)

    // Whoever subscribes hears nothing any more; all other connections work again at once.
    way.swallowAnswersTo((sentBytes) => /subscribe/i.test(sentBytes.toString('latin1')))
    way.reset()
    await until(true, async () => /listening for changes/.test((await live()).message ?? ''), WAIT_MS)
    await isSeen()
    await isSeen()
    expect(await live()).toMatchObject({ ready: false, message: expect.stringContaining('listening for changes') })
    expect((await ask<TotalAnswer>(server.url, token, QUERY)).v).toBe(sent)

    way.swallowAnswersTo(undefined)
    await until(true, async () => (await live()).ready, WAIT_MS)
    await isSeen()
    expect(gaps).toEqual([])
  })
})
