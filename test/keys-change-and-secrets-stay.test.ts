import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RejectedAnswer } from '@nowcast/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort } from '../scripts/loopback-ports.mjs'
import { knownProject, readTokenOf } from './servers/known-projects.ts'
import { endProcess, spawnNowcast } from './servers/nowcast-cli.ts'
import { postEvents, postQuery, request } from './servers/requests.ts'
import { startServer, type TestServer } from './servers/start-server.ts'
import { until } from './servers/until.ts'

const OLD = {
  previousWriteKey: 'nc_pub_old_write_0000',
  previousSecretKey: 'nc_sec_old_secret_0000',
  previousReadSecret: 'the old read secret of shop, long enough',
}
const SHOP = knownProject('shop', OLD)
const BLOG = knownProject('blog', {})
const EVENT = { name: 'click', userId: 'u1' }
const TOTAL = { kind: 'total', metric: 'events', range: { last: '1h' }, bots: true }

let server: TestServer
beforeAll(async () => {
  server = await startServer({ config: { projects: [SHOP, BLOG], logLevel: 'debug' } })
})
afterAll(() => server?.remove())

describe('keys change without a stop', () => {
  it.each([SHOP.writeKey, OLD.previousWriteKey, SHOP.secretKey, OLD.previousSecretKey])('%s sends', async (key) => {
    expect((await postEvents(server.url, key, { events: [EVENT] })).status).toBe(202)
  })
  it('the old secret key is a secret key, the old write key is none', async () => {
    const old = { ...EVENT, timestamp: '2020-01-01' }
    expect((await postEvents(server.url, OLD.previousSecretKey, { events: [old] })).status).toBe(202)
    expect((await postEvents(server.url, OLD.previousWriteKey, { events: [old] })).status).toBe(400)
  })
  it('tokens of the old and of the new read secret are valid, and no other', async () => {
    const signed = (readSecret: string) => readTokenOf({ ...SHOP, readSecret })
    const status = async (token: string) => (await postQuery(server.url, token, TOTAL)).status
    expect(await status(signed(SHOP.readSecret))).toBe(200)
    expect(await status(signed(OLD.previousReadSecret))).toBe(200)
    expect(await status(signed(BLOG.readSecret))).toBe(401)
    expect(await status(readTokenOf({ ...SHOP, readSecret: OLD.previousReadSecret }, { exp: 1 }))).toBe(401)
  })
  it('a key belongs to one project only, an old one too', async () => {
    const twice = { ...knownProject('twice', {}), writeKey: OLD.previousWriteKey }
    const start = startServer({ config: { projects: [SHOP, twice] } })
    await expect(start).rejects.toThrow('two projects have the same writeKey')
  })
})

describe('refused events', () => {
  const rejected = (token: string, query = '') =>
    request<RejectedAnswer>(`${server.url}/v1/rejected${query}`, { headers: { authorization: `Bearer ${token}` } })

  it('are listed with reason and what was wrong, native ones and Segment’s, and counted', async () => {
    const events = [EVENT, { name: 'purchase', userId: 'u1', revenue: 'ten' }]
    await postEvents(server.url, BLOG.secretKey, { events })
    const authorization = `Basic ${Buffer.from(`${BLOG.secretKey}:`).toString('base64')}`
    const body = JSON.stringify({ batch: [{ type: 'track', event: 7, userId: 'u1' }] })
    await request(`${server.url}/v1/batch`, { method: 'POST', body, headers: { authorization } })
    // Who may list them need not know the secret key.
    const keyed = JSON.stringify({ writeKey: BLOG.secretKey, userId: 'u1', event: '' })
    await request(`${server.url}/v1/track`, { method: 'POST', body: keyed })
    await until(3, async () => (await rejected(BLOG.secretKey)).body.rejected.length)
    const { status, body: answer } = await rejected(readTokenOf(BLOG), '?project=blog&limit=10')
    expect([status, answer.project]).toEqual([200, 'blog'])
    expect(answer.rejected.map(({ code, index, event }) => [code, index, event])).toEqual([
      ['invalid_name', 0, '{"userId":"u1","event":""}'],
      ['invalid_name', 0, '{"type":"track","event":7,"userId":"u1"}'],
      ['invalid_revenue', 1, '{"name":"purchase","userId":"u1","revenue":"ten"}'],
    ])
    expect(answer.rejected.every(({ receivedAt, message }) => receivedAt > 1.7e12 && message.length > 10)).toBe(true)
    const metrics = (await request<{ text: string }>(`${server.url}/metrics`)).body.text
    expect(metrics).toContain('nowcast_events_rejected_total{project="blog",code="invalid_revenue"} 1')
  })
  it('are seen by nobody who may not see all of the project', async () => {
    const codeOf = async (token: string, query = '') => {
      const { status, body } = await rejected(token, query)
      return [status, body.error?.code]
    }
    expect(await codeOf(readTokenOf(BLOG, { filters: { country: ['DE'] } }))).toEqual([403, 'not_allowed'])
    expect(await codeOf(readTokenOf(BLOG, { metrics: ['events'] }))).toEqual([403, 'not_allowed'])
    expect(await codeOf(BLOG.writeKey)).toEqual([403, 'not_allowed'])
    expect(await codeOf(readTokenOf(SHOP), '?project=blog')).toEqual([403, 'not_allowed'])
    expect(await codeOf('nonsense')).toEqual([401, 'invalid_token'])
    expect((await request(`${server.url}/v1/rejected`)).status).toBe(401)
    expect(await codeOf(readTokenOf(BLOG), '?limit=0')).toEqual([400, 'invalid_query'])
    expect((await rejected(readTokenOf(SHOP))).body.rejected.every(({ event }) => !event.includes('ten'))).toBe(true)
  })
})

describe('secrets', () => {
  it('stand in no log, whatever is asked, at the most talkative level', async () => {
    const bearer = (key: string) => ({ authorization: `Bearer ${key}` })
    for (const key of [SHOP.secretKey, OLD.previousSecretKey]) {
      await request(`${server.url}/v1/events?key=${key}`, { method: 'POST', body: '{' })
      await request(`${server.url}/v1/projects/${key}/settings`)
      await request(`${server.url}/v1/query`, { method: 'POST', body: '{', headers: bearer(key) })
      await request(`${server.url}/${key}`)
      await postEvents(server.url, key, { key, events: [{ name: key, revenue: key }] })
    }
    await postQuery(server.url, readTokenOf(SHOP), { kind: SHOP.readSecret })
    const secrets = [SHOP.secretKey, SHOP.readSecret, ...Object.values(OLD).slice(1), readTokenOf(SHOP)]
    // Asked while it starts and stops, a server says why it cannot answer.
    await server.stop()
    const log = server.printed().stderr
    await server.start()
    for (const secret of secrets) expect(log + server.printed().stderr).not.toContain(secret)
    expect((await readFile(`${server.folder}/nowcast.config.json`, 'utf8')).includes(SHOP.secretKey)).toBe(true)
  })
  it('a password in the address of ClickHouse is not printed while ClickHouse is away', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'nowcast-away-'))
    const clickhouse = 'http://nowcast:hunter2-hunter2@127.0.0.1:9/'
    await writeFile(join(folder, 'nowcast.config.json'), JSON.stringify({ projects: [SHOP], clickhouse }))
    const args = [
      'start',
      '--port',
      String(await freePort()),
      '--data-dir',
      join(folder, 'data'),
      '--log-level',
      'debug',
    ]
    const child = spawnNowcast(args, folder)
    try {
      // It says that ClickHouse is away, whether it ends with that or waits for it.
      await until(true, () => child.output().stderr.length > 100, 60_000)
      const { stdout, stderr } = child.output()
      expect(stderr).toMatch(/clickhouse|archive/i)
      expect(stdout + stderr).not.toContain('hunter2')
    } finally {
      await endProcess(child, 'SIGKILL')
      await rm(folder, { recursive: true, force: true })
    }
  })
})

describe('a sender that is slow on purpose', () => {
  /** How long the server lets a connection live that says something every second. */
  function drip(first: string): Promise<number> {
    const started = Date.now()
    const socket = connect(server.port, '127.0.0.1', () => socket.write(first))
    const dripping = setInterval(() => socket.write('x'), 1000)
    socket.on('data', () => {})
    return new Promise((resolve) => {
      socket.on('error', () => {})
      socket.on('close', () => {
        clearInterval(dripping)
        resolve(Date.now() - started)
      })
    })
  }
  it('is cut off, in its headers and in its body', async () => {
    const head = `POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${SHOP.writeKey}\r\n`
    const lived = await Promise.all([drip(`${head}x-slow: `), drip(`${head}content-length: 1000\r\n\r\n{`)])
    expect(lived[0]).toBeLessThan(60_000)
    expect(lived[1]).toBeLessThan(90_000)
    expect((await postEvents(server.url, SHOP.writeKey, { events: [EVENT] })).status).toBe(202)
  })
  it('keeps nobody else out, however many they are and however much they announce', async () => {
    const head = `POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${SHOP.writeKey}\r\n`
    const slow = Array.from({ length: 200 }, () => {
      const socket = connect(server.port, '127.0.0.1', () => socket.write(`${head}content-length: 1048576\r\n\r\n{`))
      return socket.on('error', () => {})
    })
    await sleep(500)
    for (let i = 0; i < 5; i++)
      expect((await postEvents(server.url, SHOP.writeKey, { events: [EVENT] })).status).toBe(202)
    for (const socket of slow) socket.destroy()
  })
  it('headers without end are refused', async () => {
    const headers = { 'x-long': 'x'.repeat(20_000) }
    const { status } = await request(`${server.url}/healthz`, { headers })
    expect(status).toBe(431)
  })
})
