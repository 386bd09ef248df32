import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises'
import { createClient } from '@nowcast/node'
import { Analytics } from '@segment/analytics-node'

/*
 * A process with one SDK. Its parent sends `{ open: sdk, port }`, then `{ events }` to send so many and wait until they
 * are answered, or `{ lost: events }` to track so many while nobody listens. Needs --expose-gc.
 */

/** Events tracked between two turns of the event loop: a busy service, not a loop without air. */
const EVENTS_BY_TURN = 100

/** Makes an event as long as is usual, about 500 bytes, and not easier to compress than is usual. */
const TEXTS = Array.from({ length: 997 }, () => randomBytes(90).toString('hex'))

const spoolFolder = mkdtempSync(join(tmpdir(), 'nowcast-bench-'))
let sdk

const SDKS = {
  nowcast: (url) => nowcast({ url }),
  'nowcast-plain': (url) => nowcast({ url, gzipMinBytes: Infinity }),
  'nowcast-spool': (url) => nowcast({ url, spool: { folder: spoolFolder } }),
  segment: (host) => segment({ host }),
  'segment-like-nowcast': (host) => segment({ host, flushAt: 100, flushInterval: 50 }),
}

function nowcast(options) {
  const client = createClient({ key: 'nc_sec_bench', ...options })
  return {
    track: (event, userId, properties) => client.track(event, { userId, ...properties }),
    flush: () => client.flush({ timeoutMs: 600_000 }),
  }
}

function segment(settings) {
  const client = new Analytics({ writeKey: 'nc_sec_bench', ...settings })
  client.on('error', () => {})
  return {
    track: (event, userId, properties) => client.track({ event, userId, properties }),
    flush: () => client.flush({ timeout: 600_000 }),
  }
}

async function track(events) {
  for (let index = 0; index < events; index++) {
    sdk.track('purchase', `user-${index % 1000}`, {
      revenue: '19.99',
      currency: 'EUR',
      category: 'shoes',
      sku: `A-${index % 97}`,
      text: TEXTS[index % TEXTS.length],
    })
    if (index % EVENTS_BY_TURN === EVENTS_BY_TURN - 1) await turn()
  }
}

function memory() {
  globalThis.gc()
  const { rss, heapUsed, external } = process.memoryUsage()
  return { rssMiB: rss / 2 ** 20, usedMiB: (heapUsed + external) / 2 ** 20 }
}

async function answer({ open, port, events, lost }) {
  if (open) {
    sdk = SDKS[open](`http://127.0.0.1:${port}`)
    await track(1000)
    await sdk.flush()
    await wait(200)
    return memory()
  }
  const cpuBefore = process.cpuUsage()
  const startedAt = performance.now()
  await track(events ?? lost)
  if (events) await sdk.flush()
  const elapsedMs = performance.now() - startedAt
  const { user, system } = process.cpuUsage(cpuBefore)
  if (lost) await wait(1000)
  return { elapsedMs, cpuMs: (user + system) / 1000, ...memory() }
}

process.on('unhandledRejection', () => {})
process.on('message', (message) =>
  answer(message).then(
    (result) => process.send(result),
    (error) => process.send({ error: error.stack }),
  ),
)
process.on('disconnect', () => {
  rmSync(spoolFolder, { recursive: true, force: true })
  process.exit()
})
