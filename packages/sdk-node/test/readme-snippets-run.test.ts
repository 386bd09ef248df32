import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { startIngestServer } from '@nowcast/sdk-core/ingest-server'
import { transform } from 'esbuild'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { bundleSdk, removeFolder } from './bundle-sdk.ts'

const run = promisify(execFile)
const readme = readFileSync(path.join(import.meta.dirname, '../README.md'), 'utf8')
const snippets = [...readme.matchAll(/```(\w+)\n(.*?)```/gs)].filter(([, of]) => of === 'ts').map(([, , code]) => code!)

let sdk: Awaited<ReturnType<typeof bundleSdk>>
beforeAll(async () => {
  sdk = await bundleSdk()
})
afterAll(() => removeFolder(sdk.folder))

/** Runs a snippet, with what it takes for granted, and returns the events that it sent. */
async function eventsOf(code: string, before = '', after = '') {
  const server = await startIngestServer()
  onTestFinished(() => server.stop())
  const source = `${before}\n${code
    .replaceAll("'@nowcast/node'", "'./nowcast.mjs'")
    .replaceAll('https://nowcast.example', server.url)
    .replaceAll('/var/lib/shop/nowcast', path.join(sdk.folder, 'spool'))}\n${after}`
  // As Node itself does from 22.18 on, and tools do before.
  const { code: withoutTypes } = await transform(source, { loader: 'ts' })
  const file = await sdk.add('snippet.mjs', withoutTypes)
  await run(process.execPath, [file], { env: { ...process.env, NOWCAST_SECRET_KEY: 'nc_sec_1' }, timeout: 60_000 })
  return server.stored
}

test('every snippet of the README runs', () => expect(snippets).toHaveLength(3))

test('the first events', async () => {
  const events = await eventsOf(snippets[0]!, "const request = { ip: '203.0.113.7' }")
  expect(events).toEqual([
    expect.objectContaining({ name: 'purchase', userId: 'u1', revenue: '19.99', properties: { sku: 'A-1' } }),
    expect.objectContaining({ name: 'page_view', anonymousId: 'a1', context: { ip: '203.0.113.7' } }),
  ])
})

test('a function that may be frozen', async () => {
  const events = await eventsOf(snippets[1]!, '', "await handler({ user: 'u1' })\nprocess.exit()")
  expect(events).toEqual([expect.objectContaining({ name: 'order', userId: 'u1' })])
})

test('a service with a spool that ends by a signal', async () => {
  const after =
    "nowcast.track('a', { userId: 'u1' })\nprocess.kill(process.pid, 'SIGTERM')\nsetInterval(() => {}, 1000)"
  expect(await eventsOf(snippets[2]!, '', after)).toEqual([expect.objectContaining({ name: 'a' })])
})
