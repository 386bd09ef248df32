/** What we use of kafkajs beside its public interface; see broker-link.ts. */
declare module 'kafkajs/src/broker/index.js' {
  import type { Socket } from 'node:net'

  export interface Connection {
    socket: Socket
    sessionLifetime: { toString(): string }
    requestQueue: { destroy(): void }
    rejectRequests(error: Error): void
    disconnect(): Promise<unknown>
  }
  export interface ConnectionPool {
    pool: Connection[]
  }
  export type Versions = Record<number, { minVersion: number; maxVersion: number }>
  export default class Broker {
    constructor(options: { connectionPool: ConnectionPool; logger: unknown; authenticationTimeout?: number })
    versions: Versions | null
    connect(): Promise<void>
  }
}

declare module 'kafkajs/src/network/connectionPool.js' {
  import type { ConnectionPool } from 'kafkajs/src/broker/index.js'

  const ConnectionPoolClass: new (options: Record<string, unknown>) => ConnectionPool
  export default ConnectionPoolClass
}

declare module 'kafkajs/src/protocol/requests/index.js' {
  import type { Versions } from 'kafkajs/src/broker/index.js'

  export interface Definition {
    request: { apiKey: number; apiVersion: number; encode(): Promise<{ buffer: Buffer }> }
    response: { decode(payload: Buffer): Promise<unknown>; parse(decoded: unknown): Promise<unknown> }
  }
  interface Protocol {
    requests: Record<string, unknown>
    lookup(versions: Versions): (apiKey: number, definitions: unknown) => (options: unknown) => Definition
  }
  const protocol: Protocol
  export default protocol
}

declare module 'kafkajs/src/protocol/requests/apiKeys.js' {
  const apiKeys: Record<string, number>
  export default apiKeys
}

declare module 'kafkajs/src/protocol/error.js' {
  const errors: {
    createErrorFromCode(code: number): Error & { type: string; retriable: boolean; code: number }
  }
  export default errors
}
