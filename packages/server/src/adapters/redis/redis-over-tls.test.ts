import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isRedisSkipped, startRedis, type TestRedis } from '../../../../../test/servers/start-redis.ts'
import { checkRedis } from './check-redis.ts'
import { createRedisHotStore } from './redis-hot-store.ts'

const isOpensslMissing = spawnSync('openssl', ['version']).status !== 0 && process.env.CI !== 'true'
const clock = { now: () => Date.now() }

describe.skipIf(isRedisSkipped || isOpensslMissing)('Redis over TLS', () => {
  let folder: string
  let redis: TestRedis
  let url: string
  let ca: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nowcast-tls-'))
    const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')]
    const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost']
    const names = ['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
    expect(spawnSync('openssl', [...request, ...names, '-keyout', key, '-out', certificate]).status).toBe(0)
    ca = await readFile(certificate, 'utf8')
    redis = await startRedis({ tls: { key, certificate } })
    url = `rediss://127.0.0.1:${redis.tlsPort}`
  })
  afterAll(async () => {
    await redis?.remove()
    await rm(folder, { recursive: true, force: true })
  })

  test('works with an authority of one’s own', async () => {
    const store = createRedisHotStore(clock, { url, partitions: 1, tls: { ca } })
    try {
      await store.start()
      await store.begin({ epoch: 1, partition: 0, offset: 3, completeFrom: 0, target: 3 })
      expect(await store.fence(1, 0)).toEqual({ offset: 3, cuts: [] })
    } finally {
      await store.stop()
    }
  })

  test('says what to do about a certificate that nobody vouches for, and about a server without TLS', async () => {
    const [untrusted] = await checkRedis({ url, connectMs: 2000 })
    expect(untrusted).toMatchObject({ ok: false, message: expect.stringMatching(/NODE_EXTRA_CA_CERTS/) })
    const [plain] = await checkRedis({ url: `rediss://127.0.0.1:${redis.port}`, connectMs: 2000, tls: { ca } })
    expect(plain).toMatchObject({ ok: false, message: expect.stringMatching(/whether it speaks TLS/) })
  })
})
