import { type IngestServer, startIngestServer } from '@nowcast/sdk-core/ingest-server'
import { onTestFinished } from 'vitest'
import { type Client, type ClientOptions, createClient, type DeliveryError } from '../src/index.ts'

/** A client with short waits, the server it sends to, and what it reported; all end with the test. */
export async function startClient(
  options: Partial<ClientOptions> = {},
): Promise<{ client: Client; server: IngestServer; errors: DeliveryError[] }> {
  const server = await startIngestServer()
  const errors: DeliveryError[] = []
  const onError = (error: DeliveryError) => void errors.push(error)
  const client = createClient({
    key: 'nc_sec_test',
    url: server.url,
    retryMinMs: 20,
    retryMaxMs: 50,
    onError,
    ...options,
  })
  onTestFinished(async () => {
    await client.close({ timeoutMs: 0 })
    await server.stop()
  })
  return { client, server, errors }
}

/** Tracks events `e0`, `e1`, … of one user. */
export function trackMany(client: Client, count: number, fields: Record<string, unknown> = {}): boolean[] {
  return Array.from({ length: count }, (_, index) => client.track(`e${index}`, { userId: 'u1', ...fields }))
}

/** The names `e<from>`, … of `count` events. */
export const names = (count: number, from = 0) => Array.from({ length: count }, (_, index) => `e${index + from}`)
