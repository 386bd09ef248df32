import { io } from 'socket.io-client'
import { WebSocket } from 'ws'

/*
 * Viewers in a process of their own. `{ url, token, first, count, queries }` connects so many, viewer n with question
 * n modulo `queries`; without a token over plain `ws`; with `bare` without Socket.IO's client, speaking just enough of its
 * protocol. `'listen'` begins to write down when messages come, `'heard'` answers, for each second of the server's clock,
 * how many came and how late the last one was.
 */

/** Handshakes at a time: the server must also answer those who are there. */
const AT_ONCE = 50

let seconds
let bytes = 0

function heard(asOf, size) {
  if (!seconds) return
  const late = Date.now() - asOf
  const second = Math.floor(asOf / 1000)
  const found = seconds.get(second) ?? { messages: 0, lastMs: 0 }
  found.messages++
  found.lastMs = Math.max(found.lastMs, late)
  seconds.set(second, found)
  bytes += size
}

/** Each of them asks for another range, so that no two questions are equal. */
const question = (n) => ({ kind: 'total', metric: 'events', range: { last: `${n + 1}m` } })

async function connectLive({ url, token, n, queries }) {
  const socket = io(url, {
    ...{ path: '/live', transports: ['websocket'], forceNew: true, auth: { token } },
    ...{ timeout: 120_000, reconnection: true },
  })
  await new Promise((resolve) => socket.once('connect', resolve))
  const ack = await socket.timeout(120_000).emitWithAck('subscribe', question(n % queries))
  if (!ack.snapshot) throw new Error(`not subscribed: ${JSON.stringify(ack)}`)
  socket.on('delta', (delta) => heard(delta.asOf, 0))
}

/** Packets of Engine.IO 4 (ping 2, pong 3, message 4) with those of Socket.IO 5 inside (connect 0, event 2, ack 3). */
async function connectBare({ url, token, n, queries }) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/live/?EIO=4&transport=websocket`, {
    perMessageDeflate: false,
  })
  const answers = { 0: () => socket.send(`40${JSON.stringify({ token })}`), 2: () => socket.send('3') }
  await new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.on('message', (data) => {
      const text = String(data)
      if (text.startsWith('42["delta"')) heard(JSON.parse(text.slice(2))[1].asOf, data.length)
      else if (text.startsWith('40')) socket.send(`420${JSON.stringify(['subscribe', question(n % queries)])}`)
      else if (text.startsWith('43') && text.includes('"snapshot"')) resolve()
      else if (text.startsWith('4')) reject(new Error(`not subscribed: ${text}`))
      else answers[text[0]]?.()
    })
  })
}

async function connectWs({ url, n, queries }) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/${n % queries}`, { perMessageDeflate: false })
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  socket.on('message', (data) => heard(JSON.parse(String(data)).asOf, data.length))
}

async function connectAll({ url, token, bare, first, count, queries }) {
  const connect = bare ? connectBare : token ? connectLive : connectWs
  let next = first
  const worker = async () => {
    while (next < first + count) {
      const n = next++
      await connect({ url, token, n, queries })
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return { connected: count }
}

process.on('message', async (message) => {
  try {
    if (message === 'listen') {
      seconds = new Map()
      process.send({ ok: true })
    } else if (message === 'heard') {
      const found = [...seconds]
      seconds = undefined
      process.send({ seconds: found, bytes })
    } else process.send(await connectAll(message))
  } catch (error) {
    process.send({ error: error.stack })
  }
})
process.on('disconnect', () => process.exit())
