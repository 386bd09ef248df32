import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { type IngestServer, startIngestServer } from '@nowcast/sdk-core/ingest-server'
import { build } from 'esbuild'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'

const run = promisify(execFile)
let folder: string
let server: IngestServer

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'nowcast-node-'))
  const entry = path.join(import.meta.dirname, '../src/index.ts')
  const outfile = path.join(folder, 'nowcast.mjs')
  await build({ entryPoints: [entry], outfile, bundle: true, platform: 'node', format: 'esm' })
})
afterAll(() => rm(folder, { recursive: true }))
beforeEach(async () => {
  server = await startIngestServer()
  return () => server.stop()
})

/** Runs a program that has a client, and returns its output and how long it ran. */
async function runProgram(source: string, closeTimeoutMs = 5000) {
  const file = path.join(folder, 'program.mjs')
  const createClient = `createClient({ key: 'k', url: '${server.url}', closeTimeoutMs: ${closeTimeoutMs}, retryMinMs: 20, onError: (error) => process.stdout.write(error.code + ' ') })`
  await writeFile(file, `import { createClient } from './nowcast.mjs'\nconst client = ${createClient}\n${source}`)
  const startedAt = Date.now()
  const { stdout } = await run(process.execPath, [file], { timeout: 10_000 })
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
  expect(tookMs).toBeLessThan(3000)
})

test('a server that stays away delays the end by closeTimeoutMs only, and the loss is reported', async () => {
  server.fail(...Array(1000).fill({ status: 503 }))
  const { stdout, tookMs } = await runProgram("client.track('a', { userId: 'u1' })", 300)
  expect(stdout).toMatch(/^(unavailable )+closed $/)
  expect(tookMs).toBeLessThan(3000)
})
