import { connect as connectPlain, isIP, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import type { SASLOptions } from 'kafkajs'
import Broker, { type Connection, type Versions } from 'kafkajs/src/broker/index.js'
import ConnectionPoolOfKafkaJs from 'kafkajs/src/network/connectionPool.js'
import apiKeys from 'kafkajs/src/protocol/requests/apiKeys.js'
import protocol from 'kafkajs/src/protocol/requests/index.js'
import { KafkaError, wordsOf } from './kafka-error.ts'
import { createFramedSocket, type FramedSocket } from './wire/framed-socket.ts'
import { within } from './within.ts'

/*
 * The one place that uses the inside of kafkajs. Its connections log in (SASL, TLS) and negotiate versions, and its
 * encoders speak for groups and topics; its producer and consumer cost 12 and 3 µs of CPU an event, and one cannot ask
 * them for a range of offsets. The package is no longer developed and pinned exactly, so its inside cannot move.
 */

export interface KafkaConnectionOptions {
  /** `host:port` of one or more brokers; the others are found through them. */
  brokers: readonly string[]
  /** @default false */
  ssl?: boolean | ConnectionOptions
  sasl?: SASLOptions
  /** @default 'nowcast' */
  clientId?: string
  /** @default 3000 */
  connectTimeoutMs?: number
}

export interface RawRequest {
  apiKey: number
  apiVersion: number
  /** Whether this version of the request has tagged fields. */
  isFlexible?: boolean
  /** Its fields, in any number of pieces. */
  body: readonly Uint8Array[]
}

/** A connection to one broker that is opened when it is needed, and opened anew after any failure. */
export interface BrokerLink {
  /**
   * Sends one request and answers the fields of its reply, within `timeoutMs` with connecting and all. After a failure it is unknown whether the broker has acted.
   * @throws KafkaError `CONNECTION`, `TIMEOUT`, `SASL_AUTHENTICATION_FAILED` or `UNSUPPORTED_VERSION`
   */
  send(request: RawRequest, timeoutMs: number): Promise<Buffer>
  /** Sends one of the requests that kafkajs encodes, by its name there. @throws KafkaError also for what Kafka refuses */
  call<Answer>(name: string, options: unknown, timeoutMs: number): Promise<Answer>
  /** To be called with an answer of `send` that nobody needs any more: a large one's memory is used again. */
  release(answer: Buffer): void
  close(): void
}

interface Opened {
  framed: FramedSocket
  versions: Versions
  /** When a login ends, epoch ms. */
  expiresAt: number
}

const quiet = { namespace: () => quiet, info() {}, warn() {}, error() {}, debug() {} }

export function createBrokerLink(host: string, port: number, options: KafkaConnectionOptions): BrokerLink {
  const { connectTimeoutMs = 3000, clientId = 'nowcast' } = options
  const address = `${host}:${port}`
  const hint = options.brokers.includes(address)
    ? ''
    : ' (that is where the brokers tell clients to go: see their advertised.listeners)'
  let opening: Promise<Opened> | undefined
  let opened: Opened | undefined
  let isClosed = false

  function open(): Promise<Opened> {
    if (opened && (opened.framed.isClosed || (Date.now() > opened.expiresAt && opened.framed.waiting === 0))) {
      opened.framed.close(new KafkaError('CONNECTION', `the connection to ${address} was closed`))
      opened = undefined
      opening = undefined
    }
    opening ??= logIn().then(
      (made) => {
        opened = made
        if (isClosed) close()
        return made
      },
      (error) => {
        opening = undefined
        throw error
      },
    )
    return opening
  }

  async function logIn(): Promise<Opened> {
    let socket: Socket | undefined
    const pool = new ConnectionPoolOfKafkaJs({
      host,
      port,
      ssl: options.ssl,
      sasl: options.sasl ? { ...options.sasl } : undefined,
      clientId,
      connectionTimeout: connectTimeoutMs,
      requestTimeout: connectTimeoutMs,
      enforceRequestTimeout: true,
      logger: quiet,
      socketFactory: ({ onConnect }: { onConnect: () => void }) => {
        socket = connectSocket(host, port, options.ssl, onConnect)
        return socket
      },
    })
    const broker = new Broker({ connectionPool: pool, logger: quiet, authenticationTimeout: connectTimeoutMs })
    const connection = pool.pool[0] as Connection
    try {
      await broker.connect()
      const lifetimeMs = Number(connection.sessionLifetime.toString())
      return {
        framed: takeOver(connection),
        versions: broker.versions as Versions,
        expiresAt: lifetimeMs > 0 ? Date.now() + lifetimeMs * 0.8 : Number.POSITIVE_INFINITY,
      }
    } catch (cause) {
      connection.rejectRequests(cause as Error)
      void connection.disconnect()
      socket?.destroy()
      throw asConnectionError(cause)
    }
  }

  /** From here on the socket is ours: kafkajs would poll its queue a thousand times a second. */
  function takeOver(connection: Connection): FramedSocket {
    const { socket } = connection
    connection.requestQueue.destroy()
    for (const event of ['data', 'end', 'error', 'timeout']) socket.removeAllListeners(event)
    return createFramedSocket(socket, address, clientId)
  }

  function asConnectionError(cause: unknown): KafkaError {
    const { name, message, type } = cause as { name: string; message: string; type?: string }
    if (name === 'KafkaJSSASLAuthenticationError' || type === 'SASL_AUTHENTICATION_FAILED') {
      return new KafkaError(
        'SASL_AUTHENTICATION_FAILED',
        `${address}: ${wordsOf('SASL_AUTHENTICATION_FAILED', message)}`,
      )
    }
    return new KafkaError('CONNECTION', `no connection to Kafka at ${address}: ${message}${hint}`, cause)
  }

  const notYet = () => new KafkaError('CONNECTION', `no connection to Kafka at ${address} yet: is it running?`)

  function close(): void {
    isClosed = true
    opened?.framed.close(new KafkaError('CONNECTION', 'the connection was closed by us'))
  }

  async function send(request: RawRequest, timeoutMs: number): Promise<Buffer> {
    if (isClosed) throw new KafkaError('CONNECTION', 'the connection was closed by us')
    const startedAt = performance.now()
    // Who has given up must not have the request sent when the connection is there at last.
    const { framed, versions } = await within(timeoutMs, open(), notYet)
    const supported = versions[request.apiKey]
    if (!supported || supported.maxVersion < request.apiVersion || supported.minVersion > request.apiVersion) {
      throw new KafkaError(
        'UNSUPPORTED_VERSION',
        `the broker at ${address} does not know request ${request.apiKey} in version ${request.apiVersion}: Nowcast needs Kafka 3.1 or newer`,
      )
    }
    return framed.send(request, Math.max(1, timeoutMs - (performance.now() - startedAt)))
  }

  return {
    send,
    async call<Answer>(name: string, args: unknown, timeoutMs: number): Promise<Answer> {
      const { versions } = await within(timeoutMs, open(), notYet)
      const { request, response } = protocol.lookup(versions)(apiKeys[name] as number, protocol.requests[name])(args)
      const { buffer } = await request.encode()
      const { apiKey, apiVersion } = request
      const payload = await send({ apiKey, apiVersion, body: [buffer] }, timeoutMs)
      try {
        return (await response.parse(await response.decode(payload))) as Answer
      } catch (cause) {
        throw asRefusal(cause)
      }
    },
    release: (answer) => opened?.framed.release(answer),
    close,
  }
}

/** What kafkajs throws for an answer that is a refusal. */
function asRefusal(cause: unknown): KafkaError {
  const first = (cause as { errors?: unknown[] }).errors?.[0] ?? cause
  const { type = 'UNKNOWN', message, memberId } = first as { type?: string; message: string; memberId?: string }
  return new KafkaError(memberId ? 'MEMBER_ID_REQUIRED' : type, wordsOf(type, message), cause)
}

function connectSocket(host: string, port: number, ssl: KafkaConnectionOptions['ssl'], onConnect: () => void): Socket {
  const socket = ssl
    ? connectTls({ host, port, ...(isIP(host) ? {} : { servername: host }), ...(ssl === true ? {} : ssl) }, onConnect)
    : connectPlain({ host, port }, onConnect)
  socket.setNoDelay(true)
  socket.setKeepAlive(true, 30_000)
  return socket
}
