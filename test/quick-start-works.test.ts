import { type ChildProcess, spawn } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { freePorts } from '../scripts/loopback-ports.mjs'
import { readDocuments } from './documents/read-documents.ts'
import { CLI, endProcess } from './servers/nowcast-cli.ts'
import { until } from './servers/until.ts'

const STARTED = 'Ctrl-C stops'
const START_MS = 90_000

let folder: string
let port: number
let steps: string[]
const running: ChildProcess[] = []
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nowcast-quick-start-'))
  ;[port] = (await freePorts(1)) as [number]
  const page = readDocuments().find(({ path }) => path === 'docs/quick-start.md')
  steps = (page?.blocks ?? []).filter(({ language }) => language === 'sh').map(({ code }) => code)
  // What `npx` would have fetched is what was built here; everything else of the page runs as it is written.
  const npx = join(folder, 'bin', 'npx')
  await mkdir(join(folder, 'bin'))
  await writeFile(
    npx,
    `#!/bin/sh\n[ "$1" = @nowcast/server ] && shift && exec '${process.execPath}' '${CLI}' "$@"\nexit 127\n`,
  )
  await chmod(npx, 0o755)
})
afterEach(async () => {
  for (const child of running.splice(0)) await endProcess(child, 'SIGKILL')
})
afterAll(async () => {
  if (folder) await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
})

const step = (mark: string) => {
  const found = steps.filter((code) => code.includes(mark))
  expect(found, `blocks with ${mark}`).toHaveLength(1)
  return (found[0] as string).replaceAll('localhost:4600', `localhost:${port}`)
}

/** Runs what the page says, in a folder, as one shell would. */
function shell(code: string, cwd: string) {
  const PATH = `${join(folder, 'bin')}${delimiter}${process.env.PATH}`
  const env = { ...process.env, PATH, NOWCAST_PORT: String(port), NO_COLOR: '1' }
  const child = spawn('sh', ['-e', '-c', code], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (printed += text))
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  return { child, ended, printed: () => printed }
}

/** Starts a server as the page says, and resolves when it has said where it is. */
async function started(code: string, name: string) {
  const cwd = join(folder, name)
  await mkdir(cwd, { recursive: true })
  // The shell gives its place to the server, so that a signal reaches it.
  const server = shell(`exec ${code.trim()}`, cwd)
  running.push(server.child)
  await until(
    true,
    async () => {
      if (server.child.exitCode !== null) throw new Error(server.printed())
      return server.printed().includes(STARTED)
    },
    START_MS,
  )
  return { ...server, cwd }
}

it('shows a demo, and stops when asked', async () => {
  const demo = await started(step('server demo'), 'demo')
  expect(demo.printed()).toContain('Demo shop')
  expect(demo.printed()).toMatch(/Dashboard +http:\S+#token=\S+/)
  demo.child.kill('SIGINT')
  expect(await demo.ended).toBe(0)
})

it('starts a server, sends events that count once, is told what they earned, also after a backup is restored', async () => {
  const server = await started(steps[1] as string, 'own')
  expect(server.printed()).toMatch(/Write key +nc_pub_/)
  const run = async (code: string) => {
    const { ended, printed } = shell(code, server.cwd)
    expect(await ended, printed()).toBe(0)
    return printed()
  }
  const send = step('/v1/events')
  for (let times = 0; times < 2; times++) expect(await run(send)).toContain('{"accepted":2,"rejected":[]}')
  const ask = step('/v1/query')
  await until(true, async () => (await run(ask)).includes('"exact":"19.9900"'), 60_000)

  await endProcess(server.child, 'SIGTERM')
  await run(backup('create', server.cwd))
  const restored = join(folder, 'restored')
  await mkdir(restored)
  await run(backup('extract', restored))
  await rm(server.cwd, { recursive: true })
  await started(steps[1] as string, 'restored')
  const again = shell(ask, restored)
  expect(await again.ended).toBe(0)
  expect(again.printed()).toContain('"exact":"19.9900"')
})

/** What the page on operation does to a data directory, done to that in `cwd`. */
function backup(verb: 'create' | 'extract', cwd: string): string {
  const page = readDocuments().find(({ path }) => path === 'docs/operation.md')
  const line = page?.text.split('\n').find((text) => text.startsWith(`tar --${verb}`)) ?? ''
  const found = line
    .replace(/\/backup\/.+?\.tar\.gz/, join(folder, 'backup.tar.gz'))
    .replace('/var/lib nowcast', `'${cwd}' nowcast-data`)
    .replace(/\/var\/lib$/, `'${cwd}'`)
  expect(found).toMatch(/backup\.tar\.gz .*--directory '/)
  return found
}
