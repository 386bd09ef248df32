import { setTimeout as sleep } from 'node:timers/promises'
import type { Answer, LiveDelta, LiveSnapshot, Point, RecentAnswer, SeriesAnswer } from '@nowcast/protocol'
import { io, type Socket } from 'socket.io-client'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { sequence } from './reference/known-events.ts'
import { heard } from './servers/heard.ts'
import { knownProject, readTokenOf, signToken } from './servers/known-projects.ts'
import { ask, sendEvents } from './servers/requests.ts'
import { startServer, type TestServer } from './servers/start-server.ts'
import { until } from './servers/until.ts'

const SHOP = knownProject('shop', { hotDimensions: ['tenantId'] })
const token = readTokenOf(SHOP)
const SEND_MS = 10_000

let server: TestServer
const sockets: Socket[] = []
beforeAll(async () => {
  server = await startServer({ config: { projects: [SHOP] } })
})
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.disconnect()
})
afterAll(() => server?.remove())

async function connect(auth = token): Promise<Socket> {
  const options = { path: '/live', transports: ['websocket'], reconnection: false, forceNew: true }
  const socket = io(server.url, { ...options, auth: { token: auth } })
  sockets.push(socket)
  await new Promise<void>((resolve, reject) => socket.on('connect', resolve).on('connect_error', reject))
  return socket
}

const emit = (socket: Socket, event: string, message: unknown) => socket.timeout(5000).emitWithAck(event, message)

/** What a client holds that does nothing but apply what it hears. */
interface Held {
  query: object
  id: string
  revision: number
  answer: Answer
  deltas: number
}

function hold(query: object, { id, revision, snapshot }: LiveSnapshot): Held {
  return { query, id, revision, answer: snapshot, deltas: 0 }
}

function apply(held: Held, delta: LiveDelta): void {
  expect(delta.revision).toBe(held.revision + 1)
  held.revision = delta.revision
  held.deltas++
  if (delta.series && held.answer.kind === 'series') held.answer = withPoints(held.answer, delta)
  else if (delta.answer?.kind === 'recent') {
    const events = [...delta.answer.events, ...(held.answer as RecentAnswer).events]
    held.answer = { ...delta.answer, events: events.slice(0, 50) }
  } else if (delta.answer) held.answer = delta.answer
}

function withPoints(answer: SeriesAnswer, { series = [], asOf }: LiveDelta): SeriesAnswer {
  const merged = answer.series.map(({ key, points }) => {
    const changed = series.find((one) => one.key === key)?.points ?? []
    const byTime = new Map<number, Point>([...points, ...changed].map((point) => [point.t, point]))
    return { key, points: [...byTime.values()].sort((a, b) => a.t - b.t).slice(-points.length) }
  })
  return { ...answer, asOf, series: merged }
}

/** What an answer says, times of answering aside. */
function substance(answer: Answer): string {
  const { asOf, tookMs, ...rest } = answer
  if (rest.kind === 'series') {
    // A watched series keeps the order of its keys for a minute.
    const series = [...rest.series].sort((a, b) => String(a.key).localeCompare(String(b.key)))
    return JSON.stringify({ ...rest, series })
  }
  if (rest.kind !== 'recent') return JSON.stringify(rest)
  return JSON.stringify({ ...rest, events: rest.events.map(({ id }) => id).sort() })
}

const QUERIES = [
  { kind: 'series', metric: 'events', granularity: 'minute', range: { last: '30m' } },
  { kind: 'series', metric: 'revenue', granularity: 'minute', range: { last: '30m' }, filters: { tenantId: ['acme'] } },
  {
    kind: 'series',
    metric: 'active_users',
    granularity: 'minute',
    range: { last: '30m' },
    filters: { country: ['US'] },
  },
  { kind: 'series', metric: 'revenue', granularity: 'hour', range: { last: '6h' }, breakdown: 'country' },
  { kind: 'total', metric: 'users', range: { last: '1h' } },
  { kind: 'total', metric: 'revenue', range: { last: '24h' } },
  { kind: 'breakdown', metric: 'events', breakdown: 'tenantId', range: { last: '1h' } },
  { kind: 'recent', range: { last: '1h' } },
  { kind: 'overview' },
]

/** Events of now, and late ones, for `ms`. */
async function sendFor(ms: number): Promise<void> {
  const random = sequence(Date.now())
  const pick = <T>(values: T[]) => values[Math.floor(random() * values.length)] as T
  const end = Date.now() + ms
  while (Date.now() < end) {
    const events = Array.from({ length: 20 }, () => ({
      name: pick(['page_view', 'click', 'purchase', 'error']),
      userId: `u${Math.floor(random() * 5000)}`,
      timestamp: Date.now() - (random() < 0.3 ? Math.floor(random() * 20 * 60_000) : 0),
      revenue: pick([undefined, '19.99', '-0.0001', '100']),
      context: { country: pick(['US', 'DE']) },
      properties: { tenantId: pick(['acme', 'globex']) },
    }))
    await sendEvents(server.url, SHOP.secretKey, events)
    await sleep(100)
  }
}

it('what a client has made of deltas is what a fresh query answers', async () => {
  // Keys of a breakdown that come later replace the answer, which is another test's matter.
  await sendFor(500)
  const socket = await connect()
  const all: Held[] = []
  const early: LiveDelta[] = []
  let replaced = 0
  socket.on('delta', (delta: LiveDelta) => {
    const held = all.find(({ id }) => id === delta.id)
    if (held) apply(held, delta)
    else early.push(delta)
  })
  socket.on('snapshot', (message: LiveSnapshot) => {
    const held = all.find(({ id }) => id === message.id)
    if (held) Object.assign(held, { revision: message.revision, answer: message.snapshot })
    replaced++
  })
  for (const query of QUERIES) {
    const held = hold(query, (await emit(socket, 'subscribe', { ...query, every: 1000 })) as LiveSnapshot)
    all.push(held)
    for (const delta of early.splice(0)) if (delta.id === held.id && delta.revision > held.revision) apply(held, delta)
  }
  expect(new Set(all.map(({ id }) => id)).size).toBe(QUERIES.length)
  await sendFor(SEND_MS)
  for (const held of all) expect(held.deltas, JSON.stringify(held.query)).toBeGreaterThan(3)
  expect(replaced).toBe(0)
  // The rate of the last ten seconds is 0 again, and the archive has caught up, before they are compared.
  for (const held of all) {
    await until(
      true,
      async () => substance(held.answer) === substance(await ask(server.url, token, held.query)),
      25_000,
    ).catch(async () => expect(substance(held.answer)).toBe(substance(await ask(server.url, token, held.query))))
  }
})

it('a client that comes back hears what it has missed: no gap, no repeat', async () => {
  const query = QUERIES[0] as object
  const watching = await connect()
  const seen: number[] = []
  const whole = hold(query, await emit(watching, 'subscribe', query))
  watching.on('delta', (delta: LiveDelta) => {
    seen.push(delta.revision)
    apply(whole, delta)
  })
  const leaving = await connect()
  const held = hold(query, await emit(leaving, 'subscribe', query))
  expect(held.id).toBe(whole.id)
  leaving.on('delta', (delta: LiveDelta) => apply(held, delta))
  await sendFor(2500)
  leaving.io.engine.close()
  const left = held.revision
  await sendFor(3000)
  const back = await connect()
  const later: LiveDelta[] = []
  back.on('delta', (delta: LiveDelta) => later.push(delta))
  const { deltas } = await emit(back, 'resume', { id: held.id, revision: held.revision })
  expect(deltas.length).toBeGreaterThan(0)
  expect(deltas[0].revision).toBe(left + 1)
  for (const delta of deltas) apply(held, delta)
  await sendFor(1500)
  await until(true, () => {
    for (const delta of later.splice(0)) if (delta.revision > held.revision) apply(held, delta)
    return held.revision === whole.revision && substance(held.answer) === substance(whole.answer)
  })
  expect(seen).toEqual(seen.map((_, i) => (seen[0] as number) + i))
})

it('a revision that is not known any more is answered with a snapshot', async () => {
  const socket = await connect()
  const { id, revision } = await emit(socket, 'subscribe', QUERIES[4])
  expect(await emit(socket, 'resume', { id, revision: revision + 1000 })).toMatchObject({
    id,
    snapshot: { kind: 'total' },
  })
  expect(await emit(socket, 'resume', { id, revision })).toMatchObject({ id, deltas: [] })
})

it('after unsubscribe nothing comes any more', async () => {
  const socket = await connect()
  let heard = 0
  socket.on('delta', () => heard++)
  const { id } = await emit(socket, 'subscribe', QUERIES[0])
  await sendFor(1500)
  await until(true, () => heard > 0)
  expect(await emit(socket, 'unsubscribe', { id })).toEqual({ id })
  await sleep(300)
  heard = 0
  await sendFor(2500)
  expect(heard).toBe(0)
})

it('a connection holds 50 subscriptions and not one more', async () => {
  const socket = await connect()
  const subscribe = (minutes: number) => emit(socket, 'subscribe', { kind: 'total', range: { last: `${minutes}m` } })
  const ids: string[] = []
  for (let i = 1; i <= 50; i++) ids.push((await subscribe(i)).id)
  expect((await subscribe(51)).error).toMatchObject({ code: 'rate_limited', message: expect.stringContaining('50') })
  await emit(socket, 'unsubscribe', { id: ids[0] })
  expect(await subscribe(51)).toMatchObject({ revision: expect.any(Number) })
})

it('a token that expires ends its subscriptions; a fresh one begins new ones', async () => {
  const exp = Math.floor(Date.now() / 1000) + 2
  const socket = await connect(signToken({ project: 'shop', exp }, SHOP.readSecret))
  const { id } = await emit(socket, 'subscribe', QUERIES[0])
  expect(await heard(socket, 'expired')).toEqual({ ids: [id] })
  expect((await emit(socket, 'subscribe', QUERIES[0])).error.code).toBe('expired_token')
  expect((await emit(socket, 'resume', { id, revision: 0 })).error.code).toBe('expired_token')
  const { expiresAt } = await emit(socket, 'authenticate', { token })
  expect(expiresAt).toBeGreaterThan(Date.now())
  expect(await emit(socket, 'subscribe', QUERIES[0])).toMatchObject({ id, snapshot: { kind: 'series' } })
})

it('a token of another scope ends what was subscribed with the first, and sees only its own', async () => {
  const socket = await connect()
  const { id } = await emit(socket, 'subscribe', QUERIES[4])
  const expired = heard(socket, 'expired')
  await emit(socket, 'authenticate', {
    token: readTokenOf(SHOP, { filters: { tenantId: ['nobody'] }, metrics: ['events'] }),
  })
  expect(await expired).toEqual({ ids: [id] })
  expect((await emit(socket, 'resume', { id, revision: 0 })).error.code).toBe('not_found')
  expect((await emit(socket, 'subscribe', { kind: 'total' })).snapshot.v).toBe(0)
  expect((await emit(socket, 'subscribe', { kind: 'total', metric: 'revenue' })).error.code).toBe('metric_not_allowed')
})
