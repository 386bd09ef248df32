import type { Answer } from '@nowcast/protocol'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Client, type ClientOptions, createClient } from '../src/client/create-client.ts'
import type { Store } from '../src/client/create-store.ts'
import type { View } from '../src/client/view.ts'
import { startTestServer } from './server/start-test-server.ts'

const EVENTS = { kind: 'series', metric: 'events', range: { last: '10m' } } as const

let server: Awaited<ReturnType<typeof startTestServer>>
let ends: (() => void)[] = []

beforeEach(async () => {
  server = await startTestServer({ base: '/analytics' })
})
afterEach(async () => {
  for (const end of ends) end()
  ends = []
  await server.stop()
})

function connect(options: Partial<ClientOptions> = {}): Client {
  return createClient({ url: server.url, token: 'good', lingerMs: 30, noticeMs: 5, ...options })
}

function watch<T>(store: Store<T>): () => void {
  const end = store.subscribe(() => {})
  ends.push(end)
  return end
}

function fresh(): Answer {
  return [...server.rooms.values()][0]!.answer
}

/** Waits until the view is live and holds what the server holds. */
async function expectCurrent(view: View) {
  await vi.waitFor(
    () => {
      expect(view.getSnapshot().status).toBe('live')
      expect(view.getSnapshot().data).toEqual(fresh())
    },
    { timeout: 5000, interval: 10 },
  )
}

describe('equal-queries-share-one-subscription', () => {
  it('whatever the order of their fields, until the last watcher has gone', async () => {
    const client = connect()
    const endConnection = watch(client.connection)
    const one = client.live({ ...EVENTS, filters: { country: ['US', 'DE'], device: [] } })
    const two = client.live({
      range: { last: '10m' },
      filters: { country: ['DE', 'US'] },
      kind: 'series',
      metric: 'events',
    })
    const endOne = watch(one)
    const endTwo = watch(two)
    await expectCurrent(one)
    expect(two.getSnapshot()).toBe(one.getSnapshot())
    expect(server.calls.subscribe).toHaveLength(1)

    endOne()
    await new Promise((resolve) => setTimeout(resolve, 80))
    expect(server.calls.unsubscribe).toEqual([])
    endTwo()
    await vi.waitFor(() => expect(server.calls.unsubscribe).toEqual(['s0']))
    endConnection()
    await vi.waitFor(() => expect(server.io.engine.clientsCount).toBe(0))
    expect(two.getSnapshot().status).toBe('loading')
  })

  it('and survives being mounted, unmounted and mounted again', async () => {
    const view = connect().live(EVENTS)
    watch(view)()
    watch(view)
    await expectCurrent(view)
    expect(server.calls.subscribe).toHaveLength(1)
    expect(server.calls.unsubscribe).toEqual([])
  })
})

it('one subscription of the server under two names ends with the later of them', async () => {
  const client = connect()
  const { metric: _, ...byDefault } = EVENTS
  const one = client.live(EVENTS)
  const two = client.live(byDefault)
  const endOne = watch(one)
  watch(two)
  await expectCurrent(one)
  await expectCurrent(two)
  expect(server.rooms.size).toBe(1)
  endOne()
  await new Promise((resolve) => setTimeout(resolve, 80))
  expect(server.calls.unsubscribe).toEqual([])
  server.tick({ ms: 61_000 })
  await expectCurrent(two)
})

describe('live-view-equals-the-server', () => {
  it('through changes, new buckets and buckets that scroll out', async () => {
    const view = connect().live(EVENTS)
    watch(view)
    await expectCurrent(view)
    for (const ms of [1000, 61_000, 5000, 180_000, 3_600_000]) {
      server.tick({ ms })
      await expectCurrent(view)
    }
  })

  it('after a gap, by asking for what is missing', async () => {
    const view = connect().live(EVENTS)
    watch(view)
    await expectCurrent(view)
    server.tick({ ms: 61_000, lose: true })
    server.tick({ ms: 61_000, lose: true })
    server.tick()
    await expectCurrent(view)
    expect(server.calls.resume).toEqual([1])
    expect(server.calls.subscribe).toHaveLength(1)
  })

  it('after a lost connection, from the last revision', async () => {
    const view = connect().live(EVENTS)
    watch(view)
    await expectCurrent(view)
    server.io.disconnectSockets(true)
    await vi.waitFor(() => expect(view.getSnapshot().status).toBe('stale'))
    server.tick({ ms: 61_000 })
    await expectCurrent(view)
    expect(server.calls.resume).toEqual([1])
    expect(server.calls.subscribe).toHaveLength(1)
  })

  it('after the server has forgotten the subscription, by a new one', async () => {
    const view = connect().live(EVENTS)
    watch(view)
    await expectCurrent(view)
    server.forget()
    server.state.now += 600_000
    server.io.disconnectSockets(true)
    await vi.waitFor(() => expect(server.calls.subscribe).toHaveLength(2), { timeout: 5000 })
    await expectCurrent(view)
  })

  it('when the server replaces what the client holds', async () => {
    const view = connect().live(EVENTS)
    watch(view)
    await expectCurrent(view)
    const room = [...server.rooms.values()][0]!
    server.tick({ ms: 600_000, lose: true })
    server.io.emit('snapshot', { id: room.id, revision: room.revision, snapshot: room.answer })
    await expectCurrent(view)
    server.tick()
    await expectCurrent(view)
    expect(server.calls.resume).toEqual([])
  })
})

describe('tokens', () => {
  it('a fresh one is fetched when the old one has expired, and the subscription goes on', async () => {
    let count = 0
    const view = connect({ token: async () => `token ${++count}` }).live(EVENTS)
    watch(view)
    await expectCurrent(view)
    server.expire()
    await vi.waitFor(() => expect(server.calls.authenticate).toEqual(['token 2']))
    server.tick({ ms: 61_000 })
    await expectCurrent(view)
  })

  it('a bad one is refused, with the code', async () => {
    const client = connect({ token: 'bad' })
    const view = client.live(EVENTS)
    watch(client.connection)
    watch(view)
    await vi.waitFor(() => expect(client.connection.getSnapshot().status).toBe('refused'))
    expect(client.connection.getSnapshot().error?.code).toBe('invalid_token')
    expect(view.getSnapshot()).toMatchObject({ status: 'error', error: { code: 'invalid_token' } })
  })

  it('one that cannot be fetched is an error, and is tried again', async () => {
    let count = 0
    const token = async () => {
      if (++count === 1) throw new Error('signed out')
      return 'good'
    }
    const client = connect({ token })
    const view = client.live(EVENTS)
    watch(view)
    await vi.waitFor(() => expect(view.getSnapshot().error?.code).toBe('token_unavailable'))
    await expectCurrent(view)
  })

  it('an expired one is replaced for a single question too', async () => {
    let count = 0
    server.state.isTokenGood = (token) => token === 'token 2'
    const answer = await connect({ token: async () => `token ${++count}` }).query({ kind: 'total', metric: 'events' })
    expect(answer.v).toBeGreaterThan(0)
  })
})

describe('errors', () => {
  it('a refused query says why, and harms no other', async () => {
    const client = connect()
    const bad = client.live({ ...EVENTS, breakdown: 'nonsense' })
    const good = client.live(EVENTS)
    watch(bad)
    watch(good)
    await expectCurrent(good)
    expect(bad.getSnapshot()).toMatchObject({
      status: 'error',
      data: undefined,
      error: { code: 'invalid_query', field: 'breakdown', message: 'breakdown: no such dimension' },
    })
  })

  it('an unreachable server leaves the view loading with the reason', async () => {
    const client = createClient({ url: 'http://127.0.0.1:1', token: 'good', lingerMs: 10, noticeMs: 5 })
    const view = client.live(EVENTS)
    watch(view)
    await vi.waitFor(() => expect(view.getSnapshot()).toMatchObject({ status: 'loading', error: { code: 'network' } }))
  })
})

describe('one-shot-queries', () => {
  it('share a request, and are asked again', async () => {
    const client = connect()
    const query = { kind: 'breakdown', breakdown: 'country' } as const
    watch(client.once(query, 50))
    const view = client.once(query, 50)
    watch(view)
    await vi.waitFor(() => expect(view.getSnapshot().status).toBe('live'))
    expect(view.getSnapshot().data?.rows[0]?.key).toBe('US')
    expect(server.calls.query).toHaveLength(1)
    await vi.waitFor(() => expect(server.calls.query.length).toBeGreaterThan(1))
  })
})

it('watchers are told at most once in the notice time', async () => {
  const view = connect({ noticeMs: 100 }).live(EVENTS)
  let notices = 0
  ends.push(view.subscribe(() => notices++))
  await expectCurrent(view)
  const before = notices
  const began = performance.now()
  for (let count = 0; count < 20; count++) {
    server.tick()
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  // By the time it took: a busy machine takes longer for the same.
  expect(notices - before).toBeLessThanOrEqual((performance.now() - began) / 100 + 2)
  await expectCurrent(view)
})
