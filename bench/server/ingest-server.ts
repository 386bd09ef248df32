import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAdaptorServer } from '@hono/node-server'
import { Hono } from 'hono'
import {
  createKafkaEventLog,
  type KafkaEventLogOptions,
} from '../../packages/server/src/adapters/kafka/kafka-event-log.ts'
import { createLmdbEventLog } from '../../packages/server/src/adapters/lmdb/lmdb-event-log.ts'
import { createConnectionOf } from '../../packages/server/src/api/connection-of.ts'
import { addEventsRoute } from '../../packages/server/src/api/events-route.ts'
import { createRateLimit } from '../../packages/server/src/api/rate-limit.ts'
import { createBodyReader } from '../../packages/server/src/api/read-body.ts'
import { createCountryOfIp, createIngest, createProjectKeys } from '../../packages/server/src/ingest/ingest.ts'
import type { EventLog } from '../../packages/server/src/ports/event-log.ts'
import { toProject } from '../../packages/server/src/project.ts'
import { createTelemetry } from '../../packages/server/src/telemetry.ts'
import { shopBatches } from '../load/shop-batches.mjs'

/*
 * The ingest stage alone: HTTP, validation, log: the embedded one, with fsync, when it is told `open`, Kafka when it is
 * told where that is. It answers with its port; told `cpu`, with the CPU time it has used; told `parse` it parses the same bodies and nothing else.
 */

const WRITE_KEY = 'nc_pub_bench0000'
const path = mkdtempSync(join(tmpdir(), 'nowcast-bench-'))
const clock = { now: () => Date.now() }
const project = toProject({
  id: 'bench',
  writeKey: WRITE_KEY,
  secretKey: 'nc_sec_bench0000',
  readSecret: 'x'.repeat(32),
})

async function open(log: EventLog): Promise<{ port: number; key: string }> {
  await log.start()
  const app = new Hono()
  addEventsRoute(app, {
    ingest: createIngest({ log, clock, countryOfIp: createCountryOfIp(), metrics: createTelemetry().ingest }),
    ownerOf: createProjectKeys([project]),
    bodies: createBodyReader(),
    rateLimit: createRateLimit(),
    connectionOf: createConnectionOf(false),
    clock,
  })
  app.onError((error, context) => context.text(String(error.stack), 500))
  const server = createAdaptorServer({ fetch: app.fetch })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { port: (server.address() as AddressInfo).port, key: WRITE_KEY }
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** CPU time of `JSON.parse` for so many events, from bytes and from strings. */
function parse(events: number, eventsPerBatch: number): { bytesMs: number; textMs: number } {
  const bodies = shopBatches({ batches: 50, eventsPerBatch, at: Date.now() }).map(({ body }) => body)
  const texts = bodies.map((body) => body.toString('utf8'))
  let seen = 0
  const timed = (one: (i: number) => { events: unknown[] }) => {
    const startedAt = cpuMs()
    for (let i = 0; i < events / eventsPerBatch; i++) seen += one(i % bodies.length).events.length
    return cpuMs() - startedAt
  }
  const bytesMs = timed((i) => JSON.parse((bodies[i] as Buffer).toString('utf8')))
  const textMs = timed((i) => JSON.parse(texts[i] as string))
  if (seen < events * 2) throw new Error('bodies without events')
  return { bytesMs, textMs }
}

type Message = 'open' | { kafka: KafkaEventLogOptions } | 'cpu' | { parse: number; eventsPerBatch: number }

process.on('message', async (message: Message) => {
  if (message === 'open') process.send?.(await open(createLmdbEventLog({ path })))
  else if (message === 'cpu') process.send?.({ cpuMs: cpuMs() })
  else if ('kafka' in message) process.send?.(await open(createKafkaEventLog(message.kafka)))
  else process.send?.(parse(message.parse, message.eventsPerBatch))
})
process.on('disconnect', () => {
  rmSync(path, { recursive: true, force: true })
  process.exit()
})
