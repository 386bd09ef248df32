import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePort } from '../scripts/loopback-ports.mjs'
import {
  createProject,
  everyComponent,
  PUBLIC_PACKAGES,
  type PublicPackage,
  packAll,
  printed,
  typeErrors,
} from './packed-project.ts'

const run = promisify(execFile)

/** Fails to compile if a declaration file has lost a type, which would make it `any` in silence. */
const IS_ANY = 'type IsAny<T> = 0 extends 1 & T ? true : false\n'

const ALL_PACKAGES = `${IS_ANY}
import { createClient as createBrowserClient } from '@nowcast/browser'
import { createClient as createNodeClient } from '@nowcast/node'
import { createNowcast, createReadToken } from '@nowcast/server'
export const notAny: [
  IsAny<ReturnType<typeof createBrowserClient>>,
  IsAny<ReturnType<typeof createNodeClient>>,
  IsAny<Awaited<ReturnType<typeof createNowcast>>>,
  IsAny<ReturnType<typeof createReadToken>>,
] = [false, false, false, false]
export const client = createNodeClient({ key: 'nc_sec_1', url: 'http://localhost:4600' })
client.track('purchase', { userId: 'u1', revenue: '19.99', currency: 'EUR' })
export const start = async () => (await createNowcast({ projects: [] })).start()
`

let folder: string
let tarballs: Record<PublicPackage, string>

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nowcast-packed-'))
  tarballs = await packAll(folder, PUBLIC_PACKAGES)
})

afterAll(() => rm(folder, { recursive: true, force: true }))

describe('all packages in one empty project, with React 19', () => {
  let project: string

  beforeAll(async () => {
    project = join(folder, 'react-19')
    const types = ['@types/node@20', '@types/react@19', '@types/react-dom@19']
    await createProject(project, [...Object.values(tarballs), 'react@19', 'react-dom@19', 'react-is@19', ...types])
  })

  test('types hold in an ES module, in a CommonJS file and in JSX', async () => {
    const files = {
      'esm.mts': ALL_PACKAGES,
      'commonjs.cts': ALL_PACKAGES,
      'components.tsx': await everyComponent(),
    }
    expect(await typeErrors(project, files)).toBe('')
  })

  test('the SDKs and the library load by import and by require', async () => {
    const names = ['@nowcast/browser', '@nowcast/node', '@nowcast/server']
    const imported = await printed(
      project,
      `for (const name of ${JSON.stringify(names)}) console.log(Object.keys(await import(name)).join(' '))`,
    )
    expect(imported.split('\n')).toEqual([
      expect.stringContaining('createClient'),
      expect.stringContaining('createClient'),
      expect.stringMatching(/createNowcast.*createReadToken/),
    ])
    const required = await printed(project, "console.log(typeof require('@nowcast/node').createClient)", 'commonjs')
    expect(required).toBe('function')
  })

  test('npx nowcast says its version and its commands', async () => {
    const { version } = JSON.parse(await readFile(join(project, 'node_modules/@nowcast/server/package.json'), 'utf8'))
    expect((await run('npx', ['nowcast', '--version'], { cwd: project })).stdout.trim()).toBe(version)
    const help = (await run('npx', ['nowcast', '--help'], { cwd: project })).stdout
    for (const command of ['demo', 'import', 'token', 'audit']) expect(help).toContain(command)
  })

  test('nowcast start serves its page and the script, and stops on SIGTERM', async () => {
    const port = await freePort()
    const server = startCli(project, ['start', '--port', String(port), '--data-dir', join(folder, 'data')])
    try {
      await untilHealthy(`http://127.0.0.1:${port}/healthz`, server)
      for (const [path, type] of [
        ['/', 'text/html'],
        ['/nowcast.js', 'javascript'],
      ] as const) {
        const response = await fetch(`http://127.0.0.1:${port}${path}`)
        expect(response.status, path).toBe(200)
        expect(response.headers.get('content-type'), path).toContain(type)
      }
      const ended = once(server.child, 'exit')
      server.child.kill('SIGTERM')
      expect(await ended, server.output()).toEqual([0, null])
    } finally {
      server.child.kill('SIGKILL')
    }
  })
})

/** Runs the installed CLI itself, not through npx, so that a signal reaches it and nobody else. */
function startCli(project: string, args: string[]): { child: ChildProcess; output: () => string } {
  const child = spawn(join(project, 'node_modules/.bin/nowcast'), args, { cwd: project })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  return { child, output: () => output }
}

async function untilHealthy(url: string, { child, output }: ReturnType<typeof startCli>): Promise<void> {
  const giveUpAt = Date.now() + 60_000
  while (Date.now() < giveUpAt) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}:\n${output()}`)
    const status = await fetch(url).then(
      (response) => response.status,
      () => undefined,
    )
    if (status === 200) return
    await sleep(200)
  }
  throw new Error(`no 200 from ${url}:\n${output()}`)
}
