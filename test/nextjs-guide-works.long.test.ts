import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TotalAnswer } from '@nowcast/protocol'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeInChromium } from '../packages/sdk-browser/test/chromium.ts'
import { freePorts } from '../scripts/loopback-ports.mjs'
import { readDocuments } from './documents/read-documents.ts'
import { createProject, PUBLIC_PACKAGES, packAll } from './packed-project.ts'
import { knownProject, readTokenOf } from './servers/known-projects.ts'
import { endProcess } from './servers/nowcast-cli.ts'
import { ask, postEvents, request } from './servers/requests.ts'
import { startServer, type TestServer } from './servers/start-server.ts'
import { until } from './servers/until.ts'

const NEXT = ['next@15', 'react@19', 'react-dom@19', 'typescript@5.9.3', '@types/react@19', '@types/node@20']
const SHOWN = { timeout: 60_000, interval: 100 }
const project = knownProject('app', { hotDimensions: ['tenantId'], currency: 'EUR' })
/** What the guide leaves to its reader. */
const OWN: Record<string, string> = {
  'app/page.tsx': `export default () => <h1>Welcome</h1>`,
  'your-login.ts': `import { cookies } from 'next/headers'
    export const currentUser = async () => ((await cookies()).get('user') ? { tenantId: 'acme' } : undefined)`,
  'tsconfig.json': JSON.stringify({
    compilerOptions: {
      ...{ target: 'es2022', lib: ['dom', 'dom.iterable', 'es2023'], strict: true, noEmit: true, skipLibCheck: true },
      ...{
        module: 'esnext',
        moduleResolution: 'bundler',
        esModuleInterop: true,
        isolatedModules: true,
        jsx: 'preserve',
      },
      paths: { '@/*': ['./*'] },
    },
    include: ['**/*.ts', '**/*.tsx'],
  }),
}

describeInChromium('an app with Next.js, as its guide says', (browser) => {
  let folder: string
  let server: TestServer
  let next: ChildProcess | undefined
  let url: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nowcast-nextjs-'))
    server = await startServer({ config: { projects: [project] } })
    const app = join(folder, 'app-of-a-reader')
    await createProject(app, [...Object.values(await packAll(folder, PUBLIC_PACKAGES)), ...NEXT])
    for (const [path, text] of Object.entries({ ...OWN, ...filesOfGuide() })) {
      await mkdir(dirname(join(app, path)), { recursive: true })
      await writeFile(join(app, path), text)
    }
    const [port] = await freePorts(1)
    url = `http://localhost:${port}`
    const env = {
      ...{ ...process.env, NODE_ENV: 'production' as const, NEXT_TELEMETRY_DISABLED: '1', CI: '1' },
      ...{ NEXT_PUBLIC_NOWCAST_KEY: project.writeKey, NEXT_PUBLIC_NOWCAST_URL: server.url },
      NOWCAST_READ_SECRET: project.readSecret,
    }
    const run = (...args: string[]) => spawn('node_modules/.bin/next', args, { cwd: app, env, stdio: 'pipe' })
    expect(await ended(run('build'))).toBe('')
    next = run('start', '--port', String(port))
    await until(
      true,
      () =>
        request(url).then(
          ({ status }) => status === 200,
          () => false,
        ),
      60_000,
    )
  }, 1_200_000)

  afterAll(async () => {
    if (next) await endProcess(next, 'SIGTERM')
    await server?.remove()
    if (folder) await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  })

  it('sends its page views, and shows a customer its own figures', async () => {
    expect((await request(`${url}/read-token`)).status).toBe(401)
    const order = (id: string, tenantId: string, revenue: string) => {
      return { id, name: 'purchase', userId: `user of ${tenantId}`, revenue, properties: { tenantId } }
    }
    await postEvents(server.url, project.secretKey, {
      events: [order('1', 'acme', '120.50'), order('2', 'other', '999')],
    })

    const userAgent =
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36'
    const context = await browser().newContext({ locale: 'en-US', userAgent })
    await context.addCookies([{ name: 'user', value: 'ada', url }])
    const page = await context.newPage()
    const complaints: string[] = []
    page.on('pageerror', (error) => complaints.push(String(error)))
    await page.goto(url)
    await page.goto(`${url}/figures`)

    const tile = page.locator('.nowcast-tile-value:not(:has(.nowcast-skeleton))')
    await expect.poll(() => tile.first().getAttribute('title'), SHOWN).toMatch(/^~?1$/)
    await page.getByRole('button', { name: 'Table' }).click()
    await expect.poll(() => page.locator('.nowcast-table').textContent(), SHOWN).toContain('120.50')
    expect(await page.locator('.nowcast-table').textContent()).not.toContain('999')

    const views = { kind: 'total', metric: 'page_views', range: { last: '1h' } }
    await until(2, async () => (await ask<TotalAnswer>(server.url, readTokenOf(project), views)).v, 60_000)
    expect(complaints).toEqual([])
    await context.close()
  })
})

/** The files of the guide, by the path in the first line of each. */
function filesOfGuide(): Record<string, string> {
  const guide = readDocuments().find(({ path }) => path === 'docs/nextjs.md')
  const named = (guide?.blocks ?? []).flatMap(({ code }) => {
    const path = /^\/\/ (\S+\.\w+)\n/.exec(code)?.[1]
    return path ? [[path, code] as const] : []
  })
  expect(named.map(([path]) => path)).toContain('app/figures/page.tsx')
  return Object.fromEntries(named)
}

/** What a process said if it failed. */
async function ended(child: ChildProcess): Promise<string> {
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text) => (printed += text))
  const code = await new Promise((resolve) => child.once('close', resolve))
  return code === 0 ? '' : `exit ${code}: ${printed}`
}
