import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, readdirSync, renameSync, statSync, truncateSync, utimesSync } from 'node:fs'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { type IngestServer, startIngestServer } from '@nowcast/sdk-core/ingest-server'
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import { type Client, type ClientOptions, createClient, type DeliveryError } from '../src/index.ts'
import { bundleSdk, removeFolder } from './bundle-sdk.ts'
import { names, trackMany } from './start-client.ts'

let programs: string
let folder: string
let server: IngestServer

beforeAll(async () => {
  const sdk = await bundleSdk()
  programs = sdk.folder
  // Tracks `from`, `from + 1`, … and tells how many track() has taken; then waits to be killed.
  await sdk.add(
    'tracker.mjs',
    `import { createClient } from './nowcast.mjs'
    const [url, folder, count, from] = process.argv.slice(2)
    const client = createClient({ key: 'k', url, spool: { folder }, retryMinMs: 20, retryMaxMs: 50 })
    let index = +from
    const trackSome = () => {
      for (const end = Math.min(index + 100, +from + +count); index < end; index++) client.track('e' + index, { userId: 'u' + from })
      process.stdout.write(index + '\\n')
      if (index < +from + +count) setTimeout(trackSome)
    }
    trackSome()
    setInterval(() => {}, 1000)`,
  )
})
afterAll(() => removeFolder(programs))
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'nowcast-spool-'))
  server = await startIngestServer()
  return async () => {
    await server.stop()
    await removeFolder(folder)
  }
})

/** Starts a process that tracks, and waits until it has tracked `until` events. */
async function startTracker(url: string, count: number, from = 0, until = from + count) {
  const tracker = spawn(process.execPath, [path.join(programs, 'tracker.mjs'), url, folder, `${count}`, `${from}`])
  onTestFinished(() => void tracker.kill('SIGKILL'))
  let tracked = 0
  let errors = ''
  tracker.stdout.on('data', (chunk) => {
    tracked = +String(chunk).trim().split('\n').at(-1)!
  })
  tracker.stderr.on('data', (chunk) => {
    errors += chunk
  })
  while (tracked < until) {
    if (tracker.exitCode !== null) throw new Error(errors)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return tracker
}

async function kill(tracker: ChildProcess) {
  tracker.kill('SIGKILL')
  await once(tracker, 'exit')
}

/** A client on the folder, in this process. */
function openClient(options: Partial<ClientOptions> = {}): { client: Client; errors: DeliveryError[] } {
  const errors: DeliveryError[] = []
  const client = createClient({
    key: 'k',
    url: server.url,
    spool: { folder },
    retryMinMs: 20,
    retryMaxMs: 50,
    onError: (error) => void errors.push(error),
    ...options,
  })
  onTestFinished(() => void client.close({ timeoutMs: 0 }))
  return { client, errors }
}

const spoolFiles = () => readdirSync(folder).filter((name) => name.endsWith('.spool'))
const counted = () => server.counted().map(({ name }) => name)

test('what a killed process has tracked is sent by the next one, once and in order', async () => {
  server.outage = { status: 503 }
  await kill(await startTracker(server.url, 1000))
  expect(server.stored).toEqual([])
  server.recover()
  const { client } = openClient()
  client.track('e1000', { userId: 'u0' })
  expect(await client.flush()).toBe(true)
  expect(counted()).toEqual(names(1001))
  expect(server.stored).toHaveLength(1001)
  await client.close()
  expect(spoolFiles()).toEqual([])
})

test('what was answered before the kill is not sent again', async () => {
  const tracker = await startTracker(server.url, 1000)
  await server.until(() => server.stored.length === 1000)
  await kill(tracker)
  await openClient().client.flush()
  // Only the answer to the last request may not have been noted yet.
  const last = server.received.findLast(({ ids }) => ids.includes(server.stored[999]!.id!))!
  expect(server.stored.length).toBeLessThanOrEqual(1000 + last.ids.length)
  expect(server.received.filter(({ ids }) => ids.includes(server.stored[0]!.id!))).toHaveLength(1)
})

test('a process that is killed while it sends, again and again, loses nothing and counts nothing twice', async () => {
  // Some answers never arrive: what they were about is sent again with the same ids.
  server.fail(...Array.from({ length: 300 }, (_, index) => (index % 3 ? {} : { reset: true, store: true })))
  for (let run = 0; run < 5; run++)
    await kill(await startTracker(server.url, 1000, run * 1000, run * 1000 + 150 * (run + 1)))
  const { client } = openClient()
  expect(await client.flush()).toBe(true)
  for (let run = 0; run < 5; run++) {
    const ofRun = server.counted().filter(({ userId }) => userId === `u${run * 1000}`)
    expect(ofRun.length).toBeGreaterThanOrEqual(150 * (run + 1))
    expect(ofRun.map(({ name }) => name)).toEqual(names(ofRun.length, run * 1000))
  }
})

test('several processes share a folder, and what one leaves is sent by one of the others', async () => {
  server.outage = { status: 503 }
  const trackers = await Promise.all([0, 1000, 2000, 3000].map((from) => startTracker(server.url, 300, from)))
  await Promise.all(trackers.slice(0, 2).map(kill))
  const { client } = openClient()
  server.recover()
  expect(await client.flush()).toBe(true)
  await server.until(() => server.counted().length === 1200)
  for (const from of [0, 1000, 2000, 3000]) {
    expect(
      server
        .counted()
        .filter(({ userId }) => userId === `u${from}`)
        .map(({ name }) => name),
    ).toEqual(names(300, from))
  }
  await Promise.all(trackers.slice(2).map(kill))
})

test('an event that was cut off in the middle of a write harms no other', async () => {
  server.outage = { status: 503 }
  await kill(await startTracker(server.url, 100))
  const [file] = spoolFiles()
  appendFileSync(path.join(folder, file!), '{"id":"cut o')
  server.recover()
  const { client, errors } = openClient()
  client.track('e100', { userId: 'u0' })
  await client.flush()
  expect(counted()).toEqual(names(101))
  expect(errors).toEqual([])
})

test('one event that cannot be read is lost and told, its neighbours are not', async () => {
  server.outage = { status: 503 }
  await kill(await startTracker(server.url, 100))
  appendFileSync(path.join(folder, spoolFiles()[0]!), '{"id":"damaged\n')
  // Like the real server, which cannot parse the whole body then.
  server.recover()
  const { client, errors } = openClient()
  client.track('e100', { userId: 'u0' })
  await client.flush()
  expect(counted()).toEqual(names(101))
  await server.until(() => errors.some(({ code }) => code === 'refused'))
  expect(errors.filter(({ lostEvents }) => lostEvents)).toEqual([
    expect.objectContaining({ code: 'refused', lostEvents: 1 }),
  ])
})

test('a client that closes while the server is away leaves its events to the next one, and reports no loss', async () => {
  server.outage = { status: 503 }
  const closer = path.join(programs, 'closer.mjs')
  await writeFile(
    closer,
    `import { createClient } from './nowcast.mjs'
    let lost = 0
    const onError = ({ lostEvents }) => { lost += lostEvents }
    const client = createClient({ key: 'k', url: '${server.url}', spool: { folder: '${folder}', syncMs: 0 }, onError })
    for (let index = 0; index < 50; index++) client.track('e' + index, { userId: 'u0' })
    console.log(await client.close({ timeoutMs: 100 }), lost)`,
  )
  expect((await promisify(execFile)(process.execPath, [closer])).stdout).toBe('false 0\n')
  server.recover()
  const { client } = openClient()
  await client.flush()
  expect(counted()).toEqual(names(50))
})

test('what a process on another machine leaves is taken over when it has been silent for a minute', async () => {
  server.outage = { status: 503 }
  await kill(await startTracker(server.url, 10))
  const [name] = spoolFiles()
  const [born, target, , pid, start] = name!.split('.')
  const elsewhere = path.join(folder, [born, target, 'elsewhere', pid, start, 'spool'].join('.'))
  renameSync(path.join(folder, name!), elsewhere)
  server.recover()
  const early = openClient().client
  await early.flush()
  await early.close()
  expect(server.stored).toEqual([])
  const silentSince = new Date(Date.now() - 61_000)
  utimesSync(elsewhere, silentSince, silentSince)
  await openClient().client.flush()
  expect(counted()).toEqual(names(10))
})

test('the files are bounded: the oldest events make room, and are counted', async () => {
  server.outage = { status: 503 }
  const { client, errors } = openClient({ spool: { folder, maxBytes: 1024 * 1024 } })
  trackMany(client, 3000, { text: 'x'.repeat(1000) })
  const bytes = spoolFiles().reduce((sum, name) => sum + statSync(path.join(folder, name)).size, 0)
  expect(bytes).toBeLessThanOrEqual(1024 * 1024)
  await server.until(() => errors.some(({ code }) => code === 'queue_full'))
  server.recover()
  await client.flush()
  const lost = errors.reduce((sum, { lostEvents }) => sum + lostEvents, 0)
  expect(server.counted().length).toBe(3000 - lost)
  expect(counted().at(-1)).toBe('e2999')
})

test('with the policy reject, track refuses what does not fit', async () => {
  server.outage = { status: 503 }
  const { client } = openClient({ spool: { folder, maxBytes: 1024 * 1024 }, queuePolicy: 'reject' })
  const taken = trackMany(client, 2000, { text: 'x'.repeat(1000) }).filter(Boolean).length
  expect(taken).toBeGreaterThan(800)
  expect(taken).toBeLessThan(1000)
  server.recover()
  await client.flush()
  expect(counted()).toEqual(names(taken))
})

test('a file that somebody cut short is reported, and what comes later is sent', async () => {
  server.outage = { status: 503 }
  const { client, errors } = openClient()
  trackMany(client, 10)
  await server.until(() => server.received.length > 0)
  truncateSync(path.join(folder, spoolFiles()[0]!), 20)
  server.recover()
  await server.until(() => errors.some(({ code }) => code === 'spool_failed') || server.stored.length > 0)
  client.track('later', { userId: 'u1' })
  await client.flush()
  expect(counted().at(-1)).toBe('later')
})

test('events of another key or server are left alone', async () => {
  server.outage = { status: 503 }
  await kill(await startTracker(server.url, 10))
  server.recover()
  const { client } = openClient({ key: 'another' })
  client.track('own', { userId: 'u1' })
  await client.flush()
  expect(counted()).toEqual(['own'])
})

test('a folder that cannot be used is told when the client is made', () => {
  const open = (folder: string) => () => createClient({ key: 'k', url: server.url, spool: { folder } })
  expect(open('/dev/null/spool')).toThrow(/^spool.folder \/dev\/null\/spool cannot be used: ENOTDIR/)
  expect(open('')).toThrow(/^spool.folder must be a path$/)
})
