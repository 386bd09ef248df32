import { accessFrame, eventFrame, type LivePacket, PONG, readPacket } from './live-packet.ts'
import { NowcastError } from './nowcast-error.ts'

/** What becomes of a socket. Nothing more is said after `refused`, `ended` or a `close` of one's own. */
export interface LiveSocketListener {
  /** The server is there, and wants to know who asks: `giveAccess` is to be called. */
  reached(): void
  opened(): void
  /** Any frame came, also a heartbeat. */
  heard(): void
  event(name: string, body: unknown): void
  /** The server does not take the credentials. */
  refused(body: unknown): void
  /** It was lost, or could not be opened. */
  ended(error: NowcastError): void
}

/** One WebSocket that speaks Socket.IO, from its opening to its end. */
export interface LiveSocket {
  isOpen(): boolean
  giveAccess(credentials: object): void
  send(name: string, body: unknown): void
  /** Sends, and waits for the server's answer to it. Throws a `NowcastError`. */
  request(name: string, body: unknown): Promise<unknown>
  close(): void
}

interface Waiting {
  resolve(answer: unknown): void
  reject(error: NowcastError): void
  timer: ReturnType<typeof setTimeout>
}

const ANSWER_MS = 10_000
const OPEN_MS = 20_000
const UNOPENED =
  'The live connection could not be opened. Does the server run, and does what stands between let WebSockets through?'

/** Opens a socket. Only WebSockets are spoken: the server takes nothing else. */
export function openLiveSocket(url: string, listener: LiveSocketListener): LiveSocket {
  const socket = new WebSocket(url)
  const requests = new Map<number, Waiting>()
  let lastRequest = 0
  let isOpen = false
  let isOver = false
  let silentMs = OPEN_MS
  let silence = setTimeout(fail, silentMs)
  let heardAt = Date.now()

  function finish() {
    isOver = true
    isOpen = false
    clearTimeout(silence)
    socket.close()
    for (const one of requests.values()) {
      clearTimeout(one.timer)
      one.reject(new NowcastError('network', 'The connection was lost before the answer came.'))
    }
    requests.clear()
  }

  function fail() {
    if (isOver) return
    const message = isOpen ? 'The live connection was lost.' : UNOPENED
    finish()
    listener.ended(new NowcastError('network', message))
  }

  function take(packet: LivePacket) {
    switch (packet.type) {
      case 'transport':
        silentMs = packet.silentMs
        return listener.reached()
      case 'ping':
        return socket.send(PONG)
      case 'accepted':
        isOpen = true
        return listener.opened()
      case 'refused':
        finish()
        return listener.refused(packet.body)
      case 'event':
        return listener.event(packet.name, packet.body)
      case 'answer': {
        const waiting = requests.get(packet.request)
        requests.delete(packet.request)
        clearTimeout(waiting?.timer)
        return waiting?.resolve(packet.body)
      }
      case 'end':
        return fail()
    }
  }

  function receive(frame: unknown) {
    if (isOver) return
    heardAt = Date.now()
    listener.heard()
    let packet: LivePacket
    try {
      packet = readPacket(String(frame))
    } catch {
      // Something else answers at this address.
      return fail()
    }
    take(packet)
    if (isOver) return
    clearTimeout(silence)
    silence = setTimeout(fail, silentMs)
  }

  /** A machine that slept wakes up with timers that did not run: what it would send now nobody receives. */
  function mayWrite(): boolean {
    if (isOpen && Date.now() - heardAt > silentMs) fail()
    return isOpen
  }

  socket.onmessage = ({ data }) => receive(data)
  socket.onclose = fail
  socket.onerror = fail

  return {
    isOpen: () => isOpen,
    giveAccess(credentials) {
      if (!isOver) socket.send(accessFrame(credentials))
    },
    send(name, body) {
      if (mayWrite()) socket.send(eventFrame(name, body, undefined))
    },
    request: (name, body) =>
      new Promise((resolve, reject) => {
        if (!mayWrite()) return reject(new NowcastError('network', 'The connection is not open.'))
        const request = ++lastRequest
        const giveUp = () => {
          requests.delete(request)
          reject(new NowcastError('network', 'The server did not answer in time.'))
        }
        requests.set(request, { resolve, reject, timer: setTimeout(giveUp, ANSWER_MS) })
        socket.send(eventFrame(name, body, request))
      }),
    close() {
      if (!isOver) finish()
    },
  }
}
