import { mkdtempSync, rmSync } from 'node:fs'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAdaptorServer } from '@hono/node-server'
import { createReadToken } from '../../packages/server/src/api/read-token.ts'
import { createNowcast, type Nowcast, type NowcastOptions } from '../../packages/server/src/create-nowcast.ts'

/*
 * One process of a cluster with some of the roles. Told `{ start }` with its configuration it answers where it listens,
 * with a key and a read token; told `figures`, with the CPU time it has taken, and what each of its stages has processed.
 */

const WRITE_KEY = 'nc_pub_bench0000'
const PROJECT = { id: 'bench', writeKey: WRITE_KEY, secretKey: 'nc_sec_bench0000', readSecret: 'x'.repeat(32) }
const dataDir = mkdtempSync(join(tmpdir(), 'nowcast-bench-'))
let nowcast: Nowcast
let server: Server

async function start(options: NowcastOptions): Promise<object> {
  nowcast = await createNowcast({ dataDir, projects: [PROJECT], ...options })
  server = createAdaptorServer({ fetch: nowcast.app.fetch }) as Server
  await nowcast.start()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const token = await createReadToken({ project: PROJECT.id, readSecret: PROJECT.readSecret })
  return { pid: process.pid, port: (server.address() as AddressInfo).port, key: WRITE_KEY, token }
}

async function figures(): Promise<object> {
  const text = await (await nowcast.app.request('/metrics')).text()
  const processed: Record<string, number> = {}
  for (const [, stage = '', count] of text.matchAll(/^nowcast_events_processed_total\{stage="(\w+)"\} (\d+)/gm)) {
    processed[stage] = Number(count)
  }
  const { user, system } = process.cpuUsage()
  return { cpuMs: (user + system) / 1000, processed }
}

process.on('message', (message: 'figures' | { start: NowcastOptions }) => {
  const answer = message === 'figures' ? figures() : start(message.start)
  answer.then(
    (done) => process.send?.(done),
    (error: Error) => process.send?.({ error: String(error.stack) }),
  )
})
process.on('disconnect', async () => {
  await nowcast?.stop()
  rmSync(dataDir, { recursive: true, force: true })
  process.exit()
})
