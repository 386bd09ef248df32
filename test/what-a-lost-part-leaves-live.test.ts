import type { LiveDelta, LiveSnapshot, SeriesAnswer, TotalAnswer } from '@nowcast/protocol'
import { io, type Socket } from 'socket.io-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { knownProject, readTokenOf } from './servers/known-projects.ts'
import { ask, postQuery, request, sendEvents } from './servers/requests.ts'
import { startClickHouse, type TestClickHouse } from './servers/start-clickhouse.ts'
import { isRedisSkipped, startRedis, type TestRedis } from './servers/start-redis.ts'
import { startServer, type TestServer } from './servers/start-server.ts'
import { startTcpProxy, type TcpProxy } from './servers/tcp-proxy.ts'
import { until } from './servers/until.ts'

const SHOP = knownProject('shop', {})
const token = readTokenOf(SHOP)
const QUERY = { kind: 'total', metric: 'events', range: { last: '30m' } }
const WAIT_MS = 90_000
type Readyz = { parts: { live: { ready: boolean; message?: string } } }

describe.skipIf(isRedisSkipped)('a node that loses', () => {
  let redis: TestRedis
  let way: TcpProxy
  let clickhouse: TestClickHouse
  let archiveWay: TcpProxy
  let server: TestServer
  let socket: Socket
  beforeAll(async () => {
    redis = await startRedis({ settings: { 'maxmemory-policy': 'noeviction' } })
    way = await startTcpProxy(redis)
    clickhouse = await startClickHouse()
    archiveWay = await startTcpProxy(clickhouse.target)
    const places = { redis: `redis://${way.address}`, clickhouse: clickhouse.urlOn(archiveWay.port) }
    server = await startServer({ config: { projects: [SHOP], ...places } })
    await until(200, async () => (await request(`${server.url}/readyz`)).status, WAIT_MS)
    socket = io(server.url, { path: '/live', transports: ['websocket'], auth: { token } })
  })
  afterAll(async () => {
    socket?.disconnect()
    await server?.remove()
    await Promise.all([way?.stop(), archiveWay?.stop()])
    await clickhouse?.remove()
    await redis?.remove()
  })

  const live = async () => (await request<Readyz>(`${server.url}/readyz`)).body.parts.live

  it('the bus falls back to reading, says so in /readyz, and comes back', async () => {
    const first = (await socket.timeout(WAIT_MS).emitWithAck('subscribe', QUERY)) as LiveSnapshot
    let seen = (first.snapshot as TotalAnswer).v
    let { revision } = first
    const gaps: number[] = []
    socket.on('delta', (delta: LiveDelta) => {
      if (delta.id !== first.id) return
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

  it('the archive answers what is live: a total without the one before it, but no part of a minute', async () => {
    const total = { kind: 'total', metric: 'events', range: { last: '20h' } }
    await until(true, async () => (await ask<TotalAnswer>(server.url, token, total)).previous?.v === 0, WAIT_MS)
    archiveWay.refuse(true)
    archiveWay.reset()
    await sendEvents(server.url, SHOP.secretKey, [{ name: 'click', userId: 'while it is away' }])
    const { v } = await ask<TotalAnswer>(server.url, token, QUERY)
    expect(v).toBeGreaterThan(0)
    expect(await ask<TotalAnswer>(server.url, token, total)).toMatchObject({ v: expect.any(Number), previous: null })
    const short = { ...total, range: { last: '11h' } }
    expect(await ask<TotalAnswer>(server.url, token, short)).toMatchObject({ previous: { v: 0 } })
    const from = Date.now() - 3_600_000 + 1
    const cut = await postQuery(server.url, token, { ...total, range: { from, to: from + 1_800_000 } })
    expect(cut).toMatchObject({ status: 503, body: { error: { code: 'archive_unavailable' } } })
    archiveWay.refuse(false)
    await until(true, async () => (await ask<TotalAnswer>(server.url, token, total)).previous?.v === 0, WAIT_MS)
  })

  it('the archive judges a live series as before, and answers no other with anomalies', async () => {
    const begun = Date.now() - 26 * 3_600_000
    const events = Array.from({ length: 26 * 60 }, (_, i) =>
      Array.from({ length: 1 + (i % 3) }, (_, n) => ({
        name: 'error',
        userId: `e${n}`,
        timestamp: begun + i * 60_000,
      })),
    ).flat()
    await sendEvents(server.url, SHOP.secretKey, events)
    const old = { ...QUERY, metric: 'errors', range: { from: begun - 60_000, to: begun + 60_000 } }
    await until(true, async () => (await ask<TotalAnswer>(server.url, token, old)).v > 0, WAIT_MS)
    const series = { kind: 'series', metric: 'errors', granularity: 'minute', anomalies: true }
    const points = async (range: object) => {
      const { series: one } = await ask<SeriesAnswer>(server.url, token, { ...series, range })
      // The running minute and the one that closes meanwhile tell nothing.
      return (one[0]?.points ?? []).slice(0, -2)
    }
    const whole = { last: '24h' }
    const isArchived = async () => (await points(whole)).every(({ v, band }) => v > 0 && (band?.expected ?? 0) > 1.9)
    await until(true, isArchived, WAIT_MS)
    archiveWay.refuse(true)
    archiveWay.reset()
    // Once all that was sent is read into memory. The first point may just have lost the earliest of its baseline.
    const isJudged = async () => {
      const { status, body } = await postQuery<SeriesAnswer>(server.url, token, { ...series, range: whole })
      return status === 200 && (body.series[0]?.points ?? []).slice(1, -2).every(({ band }) => band)
    }
    await until(true, isJudged, WAIT_MS)
    const live = await points(whole)
    const watched = (await socket
      .timeout(WAIT_MS)
      .emitWithAck('subscribe', { ...series, range: whole })) as LiveSnapshot
    expect((watched.snapshot as SeriesAnswer).series[0]?.points).toHaveLength(1440)
    // The rollups of days are the archive's: nothing of them is live, and nothing is judged by a part of them.
    const hours = await ask<SeriesAnswer>(server.url, token, { ...series, granularity: 'hour', range: { last: '20h' } })
    expect(hours.series[0]?.points.filter(({ band }) => band)).toEqual([])
    const before = { from: Math.floor(Date.now() / 60_000) * 60_000 - 25 * 3_600_000, to: Date.now() }
    expect(await postQuery(server.url, token, { ...series, range: before })).toMatchObject({ status: 503 })
    archiveWay.refuse(false)
    await until(true, async () => (await points(whole)).every(({ band }) => band), WAIT_MS)
    const known = new Map((await points(whole)).map((point) => [point.t, point]))
    for (const point of live.slice(1)) if (known.has(point.t)) expect(point).toEqual(known.get(point.t))
  })
})
