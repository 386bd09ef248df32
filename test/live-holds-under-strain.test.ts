import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo, Socket as NetSocket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createNowcast } from '@nowcast/server'
import { io, type Socket } from 'socket.io-client'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { heard } from './servers/heard.ts'
import { knownProject, readTokenOf } from './servers/known-projects.ts'
import { request, sendEvents } from './servers/requests.ts'
import { startServer, type TestServer } from './servers/start-server.ts'
import { until } from './servers/until.ts'

const SHOP = knownProject('shop', {})
const token = readTokenOf(SHOP)

let server: TestServer
const sockets: Socket[] = []
beforeAll(async () => {
  server = await startServer({ config: { projects: [SHOP] } })
})
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.disconnect()
})
afterAll(() => server?.remove())

async function connect(options: object = {}): Promise<Socket> {
  const usual = { path: '/live', transports: ['websocket'], reconnection: false, forceNew: true, auth: { token } }
  const socket = io(server.url, { ...usual, ...options })
  sockets.push(socket)
  await new Promise<void>((resolve, reject) => socket.on('connect', resolve).on('connect_error', reject))
  return socket
}

const emit = (socket: Socket, event: string, message: unknown) => socket.timeout(20_000).emitWithAck(event, message)

async function metric(name: string): Promise<number> {
  const { text } = (await request<{ text: string }>(`${server.url}/metrics`)).body
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
}

const visit = (userId: string, name = 'page_view') => ({ userId, name })
const send = (...events: object[]) => sendEvents(server.url, SHOP.secretKey, events as never)

/** Somebody who must not notice what others do. */
async function neighbour(): Promise<() => Promise<void>> {
  const socket = await connect()
  let heard = 0
  socket.on('delta', () => heard++)
  await emit(socket, 'subscribe', { kind: 'total', range: { last: '7m' } })
  return async () => {
    const before = heard
    await send(visit('neighbour'))
    await until(true, () => heard > before)
  }
}

it('of a storm of subscriptions 50 are held and the rest refused, the neighbours undisturbed', async () => {
  const stillHears = await neighbour()
  const socket = await connect()
  const storm = Array.from({ length: 400 }, (_, i) =>
    emit(socket, 'subscribe', { kind: 'total', range: { last: `${i + 10}m` } }),
  )
  const answers = await Promise.all(storm)
  expect(answers.filter(({ snapshot }) => snapshot)).toHaveLength(50)
  const refused = answers.filter(({ error }) => error)
  expect(refused).toHaveLength(350)
  expect(new Set(refused.map(({ error }) => error.code))).toEqual(new Set(['rate_limited']))
  await stillHears()
  // Only those that are held are computed.
  expect(await metric('nowcast_live_subscriptions')).toBe(51)
})

it('a connection that goes on against all refusals is closed', async () => {
  const stillHears = await neighbour()
  const socket = await connect()
  const gone = heard(socket, 'disconnect')
  for (let i = 0; i < 4000; i++) socket.emit('unsubscribe', { id: 'x' })
  expect(await gone).toBe('io server disconnect')
  await stillHears()
})

it('packets that are none end their own connection and no other', async () => {
  const stillHears = await neighbour()
  const packets = [
    '5',
    '42',
    '42{',
    '42["subscribe"',
    '43[]',
    '451-["x",{"_placeholder":true,"num":9}]',
    'x',
    '\0',
    '49',
  ]
  for (const packet of packets) {
    const socket = await connect()
    const raw = (socket.io.engine.transport as unknown as { ws: WebSocket }).ws
    raw.send(packet)
    raw.send(new Uint8Array([1, 2, 3]))
    await Promise.race([heard(socket, 'disconnect'), emit(socket, 'subscribe', { kind: 'total' })])
  }
  const unknown = await fetch(`${server.url}/live/?EIO=4&transport=websocket`, { method: 'POST', body: 'x' })
  expect(unknown.status).toBe(400)
  await stillHears()
})

it('a token that comes while a subscription is made never leaves it behind with the old rights', async () => {
  const socket = await connect()
  for (let i = 1; i <= 20; i++) {
    const narrow = readTokenOf(SHOP, { filters: { country: [`c${i}`] } })
    const expired: string[] = []
    socket.on('expired', ({ ids }) => expired.push(...ids))
    const subscribing = emit(socket, 'subscribe', { kind: 'total', range: { last: `${i + 100}m` } })
    const [answer] = await Promise.all([subscribing, emit(socket, 'authenticate', { token: narrow })])
    if (answer.error) expect(answer.error.code).toBe('expired_token')
    else if (answer.snapshot.v !== 0) expect(expired).toContain(answer.id)
    socket.off('expired')
    await emit(socket, 'authenticate', { token })
  }
})

/**
 * A client that does not read hears no pings, and after 15 seconds without them, or 5 without an answer, both sides would
 * hang up: on a busy machine before the server has seen how slow the reader is. So it says unasked that it is there.
 */
function stayConnected({ io: { engine } }: Socket) {
  type Transport = { ws: { _socket: NetSocket; send(packet: string): void } }
  type Engine = { _pingInterval: number; _pingTimeoutTimer: NodeJS.Timeout; transport: Transport }
  const { _pingTimeoutTimer, transport } = engine as unknown as Engine
  clearTimeout(_pingTimeoutTimer)
  Object.assign(engine, { _pingInterval: 600_000 })
  const pong = setInterval(() => transport.ws.send('3'), 1000)
  return { raw: transport.ws._socket, stopTelling: () => clearInterval(pong) }
}

it('a reader that does not read is given a snapshot when it reads again, and holds up nobody', async () => {
  const names = Array.from({ length: 1000 }, (_, i) => visit('u', `event ${i} ${'x'.repeat(40)}`))
  await send(...names)
  const stillHears = await neighbour()
  const slowBefore = await metric('nowcast_live_slow_readers_total')
  const socket = await connect()
  const { raw, stopTelling } = stayConnected(socket)
  const snapshots: { id: string; revision: number }[] = []
  const deltas: { id: string; revision: number }[] = []
  socket.on('snapshot', (message) => snapshots.push(message))
  socket.on('delta', (message) => deltas.push(message))
  const ids = new Map<string, number>()
  for (let i = 0; i < 40; i++) {
    const query = { kind: 'breakdown', breakdown: 'name', limit: 1000, range: { last: `${i + 30}m` } }
    const { id, revision } = await emit(socket, 'subscribe', query)
    ids.set(id, revision)
  }
  raw.pause()
  let sent = 0
  await until(
    true,
    async () => {
      await send(visit(`u${sent++}`, names[sent % 1000]?.name))
      await sleep(200)
      return (await metric('nowcast_live_slow_readers_total')) > slowBefore
    },
    120_000,
  )
  await stillHears()
  raw.resume()
  stopTelling()
  await until(true, () => ids.size > 0 && [...ids.keys()].every((id) => snapshots.some((one) => one.id === id)), 60_000)
  // What comes after the snapshot goes on from it.
  const newest = new Map(snapshots.map(({ id, revision }) => [id, revision]))
  const [id, revision] = [...newest][0] as [string, number]
  await send(visit('after', names[0]?.name))
  await until(true, () => deltas.some((delta) => delta.id === id && delta.revision === revision + 1), 30_000)
})

it('a message is encoded once for all viewers of a question, and /metrics tells', async () => {
  const [subscriptions, rooms, connections] = ['subscriptions', 'rooms', 'connections'].map(
    (name) => () => metric(`nowcast_live_${name}`),
  ) as [() => Promise<number>, () => Promise<number>, () => Promise<number>]
  await until(0, subscriptions)
  const before = [await rooms(), await connections()] as const
  const viewers = await Promise.all(Array.from({ length: 30 }, () => connect()))
  // Large enough to be told from all else that is sent.
  const query = { kind: 'breakdown', breakdown: 'name', limit: 1000, range: { last: '29m' } }
  await send(...Array.from({ length: 300 }, (_, i) => visit('u', `encoded once ${i}`)))
  await Promise.all(viewers.map((viewer) => emit(viewer, 'subscribe', query)))
  expect(await subscriptions()).toBe(30)
  expect(await rooms()).toBe(before[0] + 1)
  expect(await connections()).toBe(before[1] + 30)
  let deltas: unknown[] = []
  for (const viewer of viewers) viewer.on('delta', (delta) => deltas.push(delta))
  // What was sent before is told before.
  await sleep(2500)
  deltas = []
  const ticks = await metric('nowcast_live_tick_seconds_count')
  const lag = await metric('nowcast_live_lag_seconds_count')
  const bytes = await metric('nowcast_live_bytes_total')
  await send(visit('encoded', 'encoded once 0'))
  await until(30, () => deltas.length)
  const size = JSON.stringify(deltas[0]).length
  const encoded = (await metric('nowcast_live_bytes_total')) - bytes
  expect(encoded).toBeGreaterThanOrEqual(size)
  expect(encoded).toBeLessThan(size * 3)
  expect(await metric('nowcast_live_tick_seconds_count')).toBeGreaterThan(ticks)
  expect(await metric('nowcast_live_lag_seconds_count')).toBeGreaterThan(lag)
  for (const viewer of viewers) viewer.disconnect()
  await until(0, subscriptions)
  await until(before[1], connections)
})

it('a stop sends viewers away so that they come back by themselves, and leaves the host’s server alone', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nowcast-live-'))
  const host = createServer((_request, response) => response.end('the host'))
  await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(host.address() as AddressInfo).port}`
  const nowcast = await createNowcast({ dataDir: join(folder, 'data'), projects: [SHOP] })
  try {
    nowcast.attach(host, { path: '/analytics/live' })
    await nowcast.start()
    const options = { path: '/analytics/live', transports: ['websocket'], forceNew: true, auth: { token } }
    const viewers = Array.from({ length: 30 }, () => io(url, { ...options, reconnectionDelay: 100 }))
    sockets.push(...viewers)
    await Promise.all(viewers.map((viewer) => new Promise<void>((resolve) => viewer.on('connect', resolve))))
    const reasons = viewers.map((viewer) => new Promise((resolve) => viewer.on('disconnect', resolve)))
    const tries = new Promise((resolve) => viewers[0]?.io.on('reconnect_attempt', resolve))
    await nowcast.stop()
    // Told so, a client of Socket.IO connects again; `io server disconnect` would be the end.
    expect(new Set(await Promise.all(reasons))).toEqual(new Set(['transport close']))
    await tries
    expect(viewers.some(({ connected }) => connected)).toBe(false)
    expect(await (await fetch(url)).text()).toBe('the host')
  } finally {
    await nowcast.stop()
    host.closeAllConnections()
    await new Promise((resolve) => host.close(resolve))
    await rm(folder, { recursive: true, force: true })
  }
})
