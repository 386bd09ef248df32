import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** What a proxy does with the bytes of both directions. */
export type ProxyMode =
  /** Passes them on. */
  | 'pass'
  /** Holds them, as a cut cable does; they arrive when it passes again. */
  | 'hold'
  /** Passes requests on and holds the answers for ever. */
  | 'swallow-answers'

/** A TCP connection that one can cut, between any client and any server. */
export interface TcpProxy {
  readonly port: number
  /** `127.0.0.1:port` */
  readonly address: string
  mode(mode: ProxyMode): void
  /** Requests that are on hold now, as text. */
  held(): string
  /** From the first request that matches on, a connection's answers are lost for ever; undefined ends it. */
  swallowAnswersTo(matches: ((request: Buffer) => boolean) | undefined): void
  /** Adds so much to the way of every answer, ms. */
  delay(ms: number): void
  /** Ends all connections with a reset. */
  reset(): void
  /** Connections are reset as soon as they are made, until it is called with false. */
  refuse(isRefusing: boolean): void
  stop(): Promise<void>
}

interface Pair {
  client: Socket
  server: Socket
  heldRequests: Buffer[]
  heldAnswers: Buffer[]
  /** Its answers are lost for ever, whatever the mode is later. */
  isMute: boolean
}

/** Listens on a loopback port and passes on to `target`. */
export async function startTcpProxy(target: { port: number; host?: string }, port = 0): Promise<TcpProxy> {
  const pairs = new Set<Pair>()
  let mode: ProxyMode = 'pass'
  let swallows: ((request: Buffer) => boolean) | undefined
  let delayMs = 0
  let isRefusing = false

  const server = createServer((client) => {
    if (isRefusing) {
      client.resetAndDestroy()
      return
    }
    const pair: Pair = {
      client,
      server: connect({ port: target.port, host: target.host ?? '127.0.0.1' }),
      heldRequests: [],
      heldAnswers: [],
      isMute: mode === 'swallow-answers',
    }
    pairs.add(pair)
    client.on('data', (chunk) => {
      if (swallows?.(chunk)) pair.isMute = true
      if (mode === 'hold') pair.heldRequests.push(chunk)
      else pair.server.write(chunk)
    })
    pair.server.on('data', (chunk) => {
      if (pair.isMute) return
      if (mode === 'hold' || pair.heldAnswers.length > 0) pair.heldAnswers.push(chunk)
      else if (delayMs > 0) setTimeout(() => client.writable && client.write(chunk), delayMs)
      else if (client.writable) client.write(chunk)
    })
    const end = () => {
      pairs.delete(pair)
      client.destroy()
      pair.server.destroy()
    }
    pair.server.on('error', end)
    pair.server.on('close', end)
    // What was sent into a cut cable arrives later, also when its sender has given up.
    client.on('error', () => {})
    client.on('close', () => {
      if (mode !== 'hold' || pair.heldRequests.length === 0) end()
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  const listening = (server.address() as AddressInfo).port

  return {
    port: listening,
    address: `127.0.0.1:${listening}`,
    mode(next) {
      mode = next
      for (const pair of pairs) {
        if (next === 'swallow-answers') pair.isMute = true
        if (next === 'hold') continue
        for (const chunk of pair.heldRequests.splice(0)) pair.server.write(chunk)
        for (const chunk of pair.heldAnswers.splice(0))
          if (!pair.isMute && pair.client.writable) pair.client.write(chunk)
        if (pair.client.destroyed) pair.server.end()
      }
    },
    held: () => Array.from(pairs, ({ heldRequests }) => Buffer.concat(heldRequests).toString('latin1')).join('\n'),
    swallowAnswersTo(matches) {
      swallows = matches
    },
    delay(ms) {
      delayMs = ms
    },
    reset() {
      for (const { client, server: upstream } of pairs) {
        client.resetAndDestroy()
        upstream.destroy()
      }
    },
    refuse(next) {
      isRefusing = next
    },
    async stop() {
      for (const { client, server: upstream } of pairs) {
        client.destroy()
        upstream.destroy()
      }
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
