import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Hono } from 'hono'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { addPageRoutes } from './page-routes.ts'

let dir: string
const page = new Hono()
const host = new Hono()

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'nowcast-page-'))
  await mkdir(join(dir, 'page', 'assets'), { recursive: true })
  await writeFile(join(dir, 'page', 'index.html'), '<html>the page</html>')
  await writeFile(join(dir, 'page', 'assets', 'a.js'), 'a')
  await writeFile(join(dir, 'secret.json'), 'secret')
  addPageRoutes(page, { pageDir: join(dir, 'page'), scriptFile: join(dir, 'nowcast.js') })
  host.route('/analytics', page)
})
afterAll(() => rm(dir, { recursive: true }))

test('the page stands at the root, with a strict policy', async () => {
  const answer = await page.request('/')
  expect(await answer.text()).toContain('the page')
  expect(answer.headers.get('content-security-policy')).toContain(
    "default-src 'none'; script-src 'self'; style-src 'self'",
  )
  expect(answer.headers.get('content-security-policy')).not.toContain('unsafe')
})

test('mounted in a host app it stands behind a slash, so that its assets are found', async () => {
  const bare = await host.request('/analytics')
  expect([bare.status, bare.headers.get('location')]).toEqual([302, '/analytics/'])
  expect(await (await host.request('/analytics/')).text()).toContain('the page')
  expect(await (await host.request('/analytics/assets/a.js')).text()).toBe('a')
  expect((await host.request('/analytics/other/')).status).toBe(404)
})

test('no name leads out of the folder', async () => {
  for (const name of ['..%2Fsecret.json', '..%2F..%2Fsecret.json', '%2E%2E%2F%2E%2E%2Fsecret.json', '.']) {
    const answer = await page.request(`/assets/${name}`)
    expect(answer.status).toBe(404)
    expect(await answer.text()).not.toContain('secret"')
  }
})
