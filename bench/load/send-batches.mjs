import { connect } from 'node:net'
import { shopBatches } from './shop-batches.mjs'

/*
 * The load process: plain sockets, bodies made before the clock starts, one request under way a connection. Its parent
 * sends `{ port, key, connections, eventsPerBatch }` to prepare it and then `{ events }` to send so many. `keys` in place
 * of `key` sends to many projects in turn; `categories` says how many there are, of which each is a few cells;
 * `firstSerial` keeps the ids of several such processes apart.
 */

const BODIES = 50
const USER_AGENT =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36'

let setup
let serial = 0

process.on('message', (message) => {
  if ('port' in message) {
    const { eventsPerBatch, categories, firstSerial = 0 } = message
    serial = firstSerial
    setup = {
      keys: [message.key],
      ...message,
      free: shopBatches({ batches: BODIES, eventsPerBatch, at: Date.now(), categories }),
    }
    process.send({ ready: true })
    return
  }
  send(message.events).then(
    (sent) => process.send(sent),
    (error) => process.send({ error: error.message }),
  )
})
process.on('disconnect', () => process.exit())

async function send(events) {
  const { connections, eventsPerBatch } = setup
  const job = { left: Math.ceil(events / eventsPerBatch), latencies: [], refused: 0 }
  const startedAt = performance.now()
  await Promise.all(Array.from({ length: connections }, () => sendOver(job)))
  const elapsedMs = performance.now() - startedAt
  const latencies = job.latencies.sort((a, b) => a - b)
  const at = (share) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))]
  return { events: latencies.length * eventsPerBatch, elapsedMs, refused: job.refused, p50Ms: at(0.5), p99Ms: at(0.99) }
}

/** Sends batches over one connection until none is left. */
function sendOver(job) {
  const { port, keys, free } = setup
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    let batch
    let sentAt = 0
    let answer = ''

    function next() {
      if (job.left === 0) {
        socket.end()
        resolve()
        return
      }
      job.left--
      batch = free.pop()
      batch.renew(++serial)
      sentAt = performance.now()
      post()
    }

    function post() {
      socket.cork()
      socket.write(
        `POST /v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${keys[serial % keys.length]}\r\nUser-Agent: ${USER_AGENT}\r\nContent-Type: application/json\r\nContent-Length: ${batch.body.byteLength}\r\n\r\n`,
      )
      socket.write(batch.body)
      socket.uncork()
    }

    socket.setEncoding('latin1')
    socket.on('connect', next)
    socket.on('error', reject)
    socket.on('close', resolve)
    socket.on('data', (text) => {
      answer += text
      const end = answer.indexOf('\r\n\r\n')
      if (end < 0) return
      const length = Number(/content-length: *(\d+)/i.exec(answer)?.[1])
      if (answer.length < end + 4 + length) return
      const status = answer.slice(9, 12)
      const text202 = answer.slice(end + 4)
      answer = ''
      if (status === '503') {
        job.refused++
        setTimeout(post, 100)
        return
      }
      if (status !== '202' || !text202.includes('"rejected":[]')) {
        reject(new Error(`the server answered ${status}: ${text202.slice(0, 300)}`))
        return
      }
      job.latencies.push(performance.now() - sentAt)
      free.push(batch)
      next()
    })
  })
}
