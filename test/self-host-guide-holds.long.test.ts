import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { io } from 'socket.io-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePorts } from '../scripts/loopback-ports.mjs'
import { readDocuments } from './documents/read-documents.ts'
import { knownProject, readTokenOf } from './servers/known-projects.ts'
import { endProcess } from './servers/nowcast-cli.ts'
import { startServer, type TestServer } from './servers/start-server.ts'
import { until } from './servers/until.ts'

const DOMAIN = 'analytics.example.com'
const run = promisify(execFile)
const project = knownProject('shop', {})

/** Programs that are not ours; Debian: `apt-get install caddy nginx-light prometheus`. */
function has(program: string): boolean {
  const found = process.env.PATH?.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
  if (!found && process.env.CI === 'true') throw new Error(`${program} is missing`)
  if (!found) process.stderr.write(`Skipped: ${program} is missing.\n`)
  return found === true
}

/** The blocks of a guide in one language. */
function blocksOf(path: string, language: string): string[] {
  const blocks = readDocuments().find((document) => document.path === path)?.blocks ?? []
  const found = blocks.filter((block) => block.language === language).map(({ code }) => code)
  expect(found, `${path} has ${language}`).not.toEqual([])
  return found
}

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nowcast-self-host-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

it.skipIf(!has('promtool'))('Prometheus takes the configuration and the rules', async () => {
  const [scrape, rules] = blocksOf('docs/operation.md', 'yaml') as [string, string]
  await writeFile(join(folder, 'prometheus.yml'), scrape)
  await writeFile(join(folder, 'rules.yml'), rules)
  await run('promtool', ['check', 'config', join(folder, 'prometheus.yml')])
  const { stdout } = await run('promtool', ['check', 'rules', join(folder, 'rules.yml')])
  expect(stdout).toContain(`${rules.match(/- alert:/g)?.length} rules found`)
})

it.skipIf(!has('systemd-analyze'))('systemd takes the unit', async () => {
  const file = join(folder, 'nowcast.service')
  await writeFile(file, blocksOf('docs/self-host.md', 'ini').join('\n'))
  expect(await run('systemd-analyze', ['verify', file])).toMatchObject({ stderr: '' })
})

describe('behind a proxy', () => {
  let server: TestServer
  let proxy: ChildProcess | undefined
  let address: string
  let port: number

  beforeAll(async () => {
    server = await startServer({ config: { projects: [project], trustProxy: 1 } })
    ;[port] = (await freePorts(1)) as [number]
    address = `http://127.0.0.1:${port}`
  })
  afterAll(() => server?.remove())

  /** The guide's lines with this machine's addresses, and without TLS. */
  const here = (code: string) => code.replace('127.0.0.1:4600', new URL(server.url).host)

  /** Starts a proxy and looks at what it lets through. */
  async function expectServed(command: string, args: string[]) {
    const output: string[] = []
    proxy = spawn(command, args, {
      cwd: folder,
      env: { ...process.env, HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder },
    })
    for (const stream of [proxy.stdout, proxy.stderr]) stream?.on('data', (chunk) => output.push(String(chunk)))
    try {
      const statusOf = (path: string) =>
        fetch(address + path).then(
          ({ status }) => status,
          () => output.join(''),
        )
      await until<number | string>(200, () => statusOf('/healthz'))
      expect(await statusOf('/')).toBe(200)
      for (const path of ['/metrics', '/metrics?all', '/metrics/', '//metrics', '/%6detrics', '/Metrics'])
        expect(await statusOf(path), path).toBe(404)
      const socket = io(address, {
        path: '/live',
        transports: ['websocket'],
        auth: { token: readTokenOf(project) },
      })
      try {
        const query = { kind: 'total', metric: 'events', range: { last: '1h' } }
        const answer = await socket.timeout(20_000).emitWithAck('subscribe', query)
        expect(answer.snapshot).toMatchObject({ kind: 'total', v: 0 })
      } finally {
        socket.close()
      }
    } finally {
      await endProcess(proxy, 'SIGTERM')
      proxy = undefined
    }
  }

  it.skipIf(!has('caddy'))('Caddy serves page and live figures, and keeps the metrics to itself', async () => {
    const file = join(folder, 'Caddyfile')
    const [code] = blocksOf('docs/self-host.md', '') as [string]
    await writeFile(file, here(code))
    expect((await run('caddy', ['fmt', file])).stdout).toBe(here(code))
    await writeFile(file, `{\n\tadmin off\n}\n${here(code).replace(DOMAIN, address)}`)
    await expectServed('caddy', ['run', '--config', file, '--adapter', 'caddyfile'])
  })

  it.skipIf(!has('nginx'))('nginx serves page and live figures, and keeps the metrics to itself', async () => {
    const [code] = blocksOf('docs/self-host.md', 'nginx') as [string]
    const plain = here(code)
      .replace('listen 443 ssl', `listen 127.0.0.1:${port}`)
      .replace(/^\s*ssl_.*$/gm, '')
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    await mkdir(join(folder, 'temporary'), { recursive: true })
    await writeFile(
      join(folder, 'nginx.conf'),
      `daemon off; pid ${folder}/nginx.pid; error_log stderr; events {}
       http { access_log off; ${temporary.map((name) => `${name}_temp_path ${folder}/temporary/${name};`).join(' ')}
       ${plain} }`,
    )
    await expectServed('nginx', ['-c', join(folder, 'nginx.conf')])
  })
})
