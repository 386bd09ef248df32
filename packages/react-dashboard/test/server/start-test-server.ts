import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import type {
  Answer,
  ClientToServerEvents,
  ErrorBody,
  LiveDelta,
  LiveQuery,
  ProjectAnswer,
  Query,
  Series,
  ServerToClientEvents,
} from '@nowcast/protocol'
import { Server } from 'socket.io'
import { canonicalKey } from '../../src/client/canonical-key.ts'
import { emptied, syntheticAnswer } from './synthetic-answer.ts'

interface Room {
  id: string
  query: LiveQuery
  revision: number
  answer: Answer
  deltas: LiveDelta[]
}

export interface TestServerOptions {
  /** @default '' */
  base?: string
  /** @default 0: any free port */
  port?: number
  /** The built dashboard page. */
  pageFolder?: string
  /** Sends the content policy of the real server with the page. @default true */
  hasPolicy?: boolean
  makeAnswer?: (query: LiveQuery, now: number, boost: number) => Answer
}

const PLACE = { timezone: 'UTC', currency: 'EUR' }
const TYPES: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
}
/** As the real server's. */
const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

/** Starts a small server that speaks queries and live as the real one does, with a clock moved by hand. */
export async function startTestServer(options: TestServerOptions = {}) {
  const { base = '', port = 0, pageFolder, hasPolicy = true, makeAnswer = syntheticAnswer } = options
  const rooms = new Map<string, Room>()
  const calls: {
    subscribe: LiveQuery[]
    resume: number[]
    unsubscribe: string[]
    authenticate: string[]
    query: Query[]
  } = {
    subscribe: [],
    resume: [],
    unsubscribe: [],
    authenticate: [],
    query: [],
  }
  const state = {
    /** As before the first event. */
    isEmpty: false,
    /** As for a token that sees only a part of its project. */
    isPartial: false,
    /** Tells nobody about its project. */
    isNameless: false,
    /** Takes questions, and answers them when `speak` is called. */
    isSilent: false,
    /** Refuses every question with this. */
    failure: undefined as ErrorBody['error'] | undefined,
    now: Date.now(),
    boost: 1,
    isTokenGood: (token: unknown) => typeof token === 'string' && token !== 'bad',
  }

  let unsaid: (() => void)[] = []
  const spoken = () => new Promise<void>((resolve) => (state.isSilent ? unsaid.push(resolve) : resolve()))

  function answer(query: LiveQuery): Answer {
    const made = makeAnswer(query, state.now, state.boost)
    return state.isEmpty ? emptied(made) : made
  }

  const http = createServer(async (request, response) => {
    const path = new URL(request.url ?? '/', 'http://host').pathname
    const allow = { 'access-control-allow-origin': '*', 'access-control-allow-headers': '*' }
    if (request.method === 'OPTIONS') return void response.writeHead(204, allow).end()
    if (path === `${base}/v1/query`) {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      const query = JSON.parse(Buffer.concat(chunks).toString()) as Query
      calls.query.push(query)
      await spoken()
      if (state.failure) {
        response.writeHead(503, { ...allow, 'content-type': 'application/json' })
        return void response.end(JSON.stringify({ error: state.failure }))
      }
      const isGood = state.isTokenGood(request.headers.authorization?.replace('Bearer ', ''))
      const body = isGood ? answer(query) : { error: { code: 'expired_token', message: 'The token has expired.' } }
      response.writeHead(isGood ? 200 : 401, { ...allow, 'content-type': 'application/json' })
      return void response.end(JSON.stringify(body))
    }
    if (path === `${base}/v1/rejected`) {
      const rejected = [
        {
          receivedAt: state.now,
          code: 'invalid_revenue',
          message: 'revenue: no number',
          index: 4,
          event: '{"name":"x"}',
        },
      ]
      response.writeHead(200, { ...allow, 'content-type': 'application/json' })
      return void response.end(JSON.stringify({ project: 'shop', rejected }))
    }
    if (path === `${base}/v1/project` && !state.isNameless) {
      const project: ProjectAnswer = { id: 'shop', name: 'Schuhgeschäft', ...PLACE }
      if (!state.isPartial) project.writeKey = 'nc_pub_shop_1'
      response.writeHead(200, { ...allow, 'content-type': 'application/json' })
      return void response.end(JSON.stringify(project))
    }
    const file = path.slice(base.length + 1) || 'index.html'
    try {
      const content = await readFile(join(pageFolder ?? '/nowhere', file))
      response.writeHead(200, {
        'content-type': TYPES[extname(file)] ?? 'text/plain',
        ...(hasPolicy && { 'content-security-policy': CSP }),
      })
      response.end(content)
    } catch {
      response.writeHead(404).end()
    }
  })

  const io = new Server<ClientToServerEvents, ServerToClientEvents>(http, {
    path: `${base}/live`,
    transports: ['websocket'],
    cors: { origin: '*' },
  })
  io.use((socket, next) => {
    if (state.isTokenGood(socket.handshake.auth.token)) return next()
    next(Object.assign(new Error('The token is not valid.'), { data: { code: 'invalid_token' } }))
  })
  io.on('connection', (socket) => {
    socket.on('subscribe', async (query, ack) => {
      calls.subscribe.push(query)
      await spoken()
      if (state.failure) return ack({ error: state.failure })
      if (query.breakdown === 'nonsense')
        return ack({ error: { code: 'invalid_query', message: 'breakdown: no such dimension', field: 'breakdown' } })
      const key = canonicalKey({ metric: 'events', ...query })
      const room = rooms.get(key) ?? {
        id: `s${rooms.size}`,
        query,
        revision: 1,
        answer: answer(query),
        deltas: [],
      }
      rooms.set(key, room)
      socket.join(room.id)
      ack({ id: room.id, revision: room.revision, snapshot: room.answer })
    })
    socket.on('resume', ({ id, revision }, ack) => {
      calls.resume.push(revision)
      const room = [...rooms.values()].find((one) => one.id === id)
      if (!room) return ack({ error: { code: 'not_found', message: 'No such subscription.' } })
      socket.join(id)
      ack({ id, deltas: room.deltas.filter((delta) => delta.revision > revision) })
    })
    socket.on('unsubscribe', ({ id }) => {
      calls.unsubscribe.push(id)
      socket.leave(id)
    })
    socket.on('authenticate', ({ token }, ack) => {
      calls.authenticate.push(token)
      ack(
        state.isTokenGood(token)
          ? { expiresAt: state.now + 60_000 }
          : { error: { code: 'invalid_token', message: 'The token is not valid.' } },
      )
    })
  })
  await new Promise<void>((resolve) => http.listen(port, '127.0.0.1', resolve))

  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}${base}`,
    calls,
    state,
    rooms,
    io,
    /** Moves the clock and sends what changed; `lose` drops the messages on the way. */
    tick({ ms = 1000, boost = state.boost, lose = false } = {}) {
      state.now += ms
      state.boost = boost
      for (const room of rooms.values()) {
        const next = answer(room.query)
        const delta: LiveDelta = {
          id: room.id,
          revision: ++room.revision,
          asOf: state.now,
          ...change(room.answer, next),
        }
        room.answer = next
        room.deltas.push(delta)
        if (!lose) io.to(room.id).emit('delta', delta)
      }
    },
    /** Answers what was asked in silence. */
    speak() {
      state.isSilent = false
      for (const say of unsaid) say()
      unsaid = []
    },
    /** Forgets all subscriptions, as a restart does. */
    forget() {
      rooms.clear()
    },
    /** Ends all subscriptions the way an expired token does. */
    expire() {
      for (const { id } of rooms.values()) {
        io.to(id).emit('expired', { ids: [id] })
        io.in(id).socketsLeave(id)
      }
    },
    async stop() {
      // A browser opens connections ahead of its requests; one without a request would keep the server for a minute.
      const closed = io.close()
      http.closeAllConnections()
      await closed
    },
  }
}

/** What a delta says about the step from one answer to the next. */
export function change(before: Answer, after: Answer): Pick<LiveDelta, 'series' | 'answer'> {
  if (before.kind === 'recent' && after.kind === 'recent') {
    const known = new Set(before.events.map(({ id }) => id))
    return { answer: { ...after, events: after.events.filter(({ id }) => !known.has(id)) } }
  }
  if (before.kind !== 'series' || after.kind !== 'series') return { answer: after }
  const series = after.series.map(({ key, points }): Series => {
    const held = new Map(
      before.series.find((one) => one.key === key)?.points.map((point) => [point.t, JSON.stringify(point)]),
    )
    return { key, points: points.filter((point) => held.get(point.t) !== JSON.stringify(point)) }
  })
  return { series: series.filter(({ points }) => points.length > 0) }
}
