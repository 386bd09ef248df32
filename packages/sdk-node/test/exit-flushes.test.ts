import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { type IngestServer, startIngestServer } from '@nowcast/sdk-core/ingest-server'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { bundleSdk, removeFolder } from './bundle-sdk.ts'

const run = promisify(execFile)
let sdk: Awaited<ReturnType<typeof bundleSdk>>
let server: IngestServer

beforeAll(async () => {
  sdk = await bundleSdk()
})
afterAll(() => removeFolder(sdk.folder))
beforeEach(async () => {
  server = await startIngestServer()
  return () => server.stop()
})

/** Runs a program that has a client, and returns its output and how long it ran. */
async function runProgram(source: string, closeTimeoutMs = 60_000) {
  const createClient = `createClient({ key: 'k', url: '${server.url}', closeTimeoutMs: ${closeTimeoutMs}, retryMinMs: 20, onError: (error) => process.stdout.write(error.code + ' ') })`
  const file = await sdk.add(
    'program.mjs',
    `import { createClient } from './nowcast.mjs'\nconst client = ${createClient}\n${source}`,
  )
  const startedAt = Date.now()
  const { stdout } = await run(process.execPath, [file], { timeout: 80_000 })
  return { stdout, tookMs: Date.now() - startedAt }
}

test('a program that ends without close sends what it tracked', async () => {
  server.fail({ status: 503 })
  const { stdout } = await runProgram("client.track('last words', { userId: 'u1' })")
  expect(stdout).toBe('unavailable ')
  expect(server.counted().map(({ name }) => name)).toEqual(['last words'])
})

test('an idle client does not keep the program alive, nor does its connection', async () => {
  const { tookMs } = await runProgram("client.track('a', { userId: 'u1' }); await client.flush()")
  expect(server.stored).toHaveLength(1)
  expect(tookMs).toBeLessThan(30_000)
})

test('a server that stays away delays the end by closeTimeoutMs only, and the loss is reported', async () => {
  server.fail(...Array(1000).fill({ status: 503 }))
  const { stdout, tookMs } = await runProgram("client.track('a', { userId: 'u1' })", 300)
  expect(stdout).toMatch(/^(unavailable )+closed $/)
  expect(tookMs).toBeLessThan(30_000)
})
