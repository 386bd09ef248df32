import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterAll, expect, test } from 'vitest'
import { bundleEngine, clickHouseFixture } from '../clickhouse.conformance.ts'

const fixture = clickHouseFixture()
afterAll(() => fixture.cleanUp())

/** Whether the process runs; one that has ended and only waits for its exit to be noted does not. */
const isAlive = (pid: number) => {
  const state = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim()
  return state !== '' && !state.startsWith('Z')
}

/** A process that starts an engine and keeps it busy with a query that never ends. */
async function busyParent(dataDir: string) {
  const outfile = join(await fixture.folder(), 'parent.mjs')
  const source = `
    import { startEngine } from './start-engine.ts'
    const engine = await startEngine(JSON.parse(process.argv[2]))
    const authorization = 'Basic ' + Buffer.from('default:' + engine.password).toString('base64')
    const body = 'SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1'
    fetch(engine.url, { method: 'POST', body, headers: { authorization } }).catch(() => {})
    setTimeout(() => process.stdout.write(String(engine.pid)), 300)`
  const resolveDir = fileURLToPath(new URL('.', import.meta.url))
  await build({
    stdin: { contents: source, resolveDir, loader: 'ts' },
    ...{ outfile, bundle: true, platform: 'node', format: 'esm' },
  })
  const options = JSON.stringify({ dataDir, entry: await bundleEngine() })
  const parent = spawn(process.execPath, [outfile, options], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [output] = await once(parent.stdout, 'data')
  return { parent, enginePid: Number(output) }
}

test('kill -9 of the parent takes the engine down within a second, and the directory is free', async () => {
  const dataDir = await fixture.folder()
  const { parent, enginePid } = await busyParent(dataDir)
  expect(isAlive(enginePid)).toBe(true)
  parent.kill('SIGKILL')
  await expect.poll(() => isAlive(enginePid), { timeout: 1500, interval: 20 }).toBe(false)
  const next = await fixture.engine(dataDir)
  expect(next.pid).not.toBe(enginePid)
})

test('signals of the parent’s group do not end the engine before its parent', async () => {
  const engine = await fixture.engine(await fixture.folder())
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(engine.pid, signal)
  await sleep(100)
  expect(await fixture.client(engine).ping()).toEqual({ success: true })
})
