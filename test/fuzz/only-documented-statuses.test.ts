import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { knownProject, readTokenOf } from '../servers/known-projects.ts'
import { type OpenapiDocument, operationsOf } from '../servers/openapi.ts'
import { postEvents, request } from '../servers/requests.ts'
import { startServer, type TestServer } from '../servers/start-server.ts'
import { until } from '../servers/until.ts'
import { type HostileRequest, hostileRequest } from './hostile-requests.ts'

/** `npm run fuzz` sends a million. */
const RUNS = Number(process.env.FUZZ_RUNS ?? 10_000)
const SEED = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31)
const AT_ONCE = 8
/** So many times, evenly, what lives in the server is weighed and told: every 50,000 of a million. */
const READINGS = 20
/** What lives may grow by between the first of these readings and any later one… */
const GROWTH_MB = 40
/** …and by this for each event accepted meanwhile, of which windows, cells and ids are kept for a day. */
const GROWTH_MB_PER_EVENT = 1.5 / 1024

const SHOP = knownProject('shop', { hotDimensions: ['tenant'], rates: { EUR: '1.1' } })
const STRICT = knownProject('strict', { trustedRevenue: true, allowedOrigins: ['https://shop.example'] })

let server: TestServer
beforeAll(async () => {
  const sayWhatLives = fileURLToPath(new URL('./say-what-lives.mjs', import.meta.url))
  server = await startServer({
    config: { projects: [SHOP, STRICT], trustProxy: 1 },
    nodeFlags: ['--expose-gc', '--import', sayWhatLives],
  })
})
afterAll(() => server?.remove())

/** In megabytes. Resident memory holds garbage that V8 was not pressed to collect: it is told, not judged. */
interface Memory {
  heapUsed: number
  external: number
  arrayBuffers: number
  rss: number
}

/** What is left in the server once all garbage is collected. */
async function whatLives(): Promise<Memory> {
  const said = () => [...server.printed().stdout.matchAll(/^what lives: (.+)$/gm)]
  const before = said().length
  process.kill(server.pid(), 'SIGUSR2')
  await until(before + 1, () => said().length)
  const bytes = Object.entries(JSON.parse(said().at(-1)?.[1] as string) as Memory)
  return Object.fromEntries(bytes.map(([part, size]) => [part, size / 2 ** 20])) as unknown as Memory
}

async function acceptedEvents(): Promise<number> {
  const { body } = await request<{ text: string }>(`${server.url}/metrics`)
  const counts = [...body.text.matchAll(/^nowcast_events_accepted_total{[^}]*} (\d+)$/gm)]
  return counts.reduce((sum, [, count]) => sum + Number(count), 0)
}

it(
  `${RUNS} hostile requests get documented statuses only, and leave server and memory as they were`,
  async () => {
    const document = (await request<OpenapiDocument>(`${server.url}/v1/openapi.json`)).body
    const keys = [SHOP, STRICT].flatMap(({ writeKey, secretKey }) => [writeKey, secretKey])
    const basic = (key: string) => `Basic ${Buffer.from(`${key}:`).toString('base64')}`
    const bearer = (token: string) => `Bearer ${token}`
    const tokens = [readTokenOf(SHOP), readTokenOf(STRICT, { filters: { country: ['DE'] } })]
    const targets = operationsOf(document).map(({ path, method, operation }) => ({
      ...{ path, method },
      authorizations: operation.security?.some((scheme) => 'readToken' in scheme)
        ? tokens.map(bearer)
        : [...keys.map(path === '/v1/events' ? bearer : basic), ...keys.map(bearer)],
      foreign: [...keys, ...tokens].flatMap((key) => [basic(key), bearer(key)]),
      examples: Object.values(operation.requestBody?.content['application/json']?.examples ?? {}).map(
        ({ value }) => value,
      ),
      statuses: Object.keys(operation.responses).map(Number),
    }))
    // The formats and the questions are worth more than Segment's fourteen paths to one format.
    const weightOf = (path: string) => (['/v1/events', '/v1/query', '/v1/batch', '/v1/track'].includes(path) ? 6 : 1)
    const hostile = fc.oneof(
      ...targets.map((target) => ({
        weight: weightOf(target.path),
        arbitrary: hostileRequest(target).map((sent) => ({ sent, statuses: target.statuses })),
      })),
    )

    const seen = new Map<number, number>()
    const readings: { living: number; accepted: number }[] = []
    let done = 0
    const startedAt = performance.now()
    const weigh = async () => {
      const at = done
      const accepted = await acceptedEvents()
      const { heapUsed, external, arrayBuffers, rss } = await whatLives()
      const seconds = Math.round((performance.now() - startedAt) / 1000)
      const [heap, outside, buffers, resident] = [heapUsed, external, arrayBuffers, rss].map((size) => size.toFixed(1))
      process.stderr.write(
        `${at} requests in ${seconds} s, ${accepted} events accepted: ${heap} MB live in the heap, ${outside} MB outside (${buffers} in buffers); ${resident} MB resident\n`,
      )
      // What is outside holds the buffers.
      return { living: heapUsed + external, accepted }
    }
    await weigh()
    const fire = async (runs: number, seed: number) => {
      const property = fc.asyncProperty(hostile, async ({ sent, statuses }) => {
        const status = await send(sent)
        if (!statuses.includes(status)) throw new Error(`status ${status}, not one of ${statuses}`)
        seen.set(status, (seen.get(status) ?? 0) + 1)
        done++
        if (done % Math.ceil(RUNS / READINGS) === 0) readings.push(await weigh())
      })
      await fc.assert(property, { numRuns: runs, seed })
    }
    const lanes = Array.from({ length: AT_ONCE }, (_, lane) => fire(Math.ceil(RUNS / AT_ONCE), SEED + lane))
    await Promise.all(lanes)

    expect(done).toBeGreaterThanOrEqual(RUNS)
    process.stderr.write(`seed ${SEED}: ${[...seen].map(([status, count]) => `${status} × ${count}`).join(', ')}\n`)
    // Hostile enough, and not only hostile.
    for (const status of [200, 202, 400, 401, 403, 415]) expect(seen.get(status) ?? 0).toBeGreaterThan(RUNS / 2000)
    expect(readings.length).toBeGreaterThanOrEqual(READINGS - 1)
    const [first, ...later] = readings as [(typeof readings)[0], ...typeof readings]
    for (const { living, accepted } of later) {
      const allowed = GROWTH_MB + (accepted - first.accepted) * GROWTH_MB_PER_EVENT
      expect(living - first.living).toBeLessThan(allowed)
    }
    expect(server.printed().stderr).not.toContain('a request failed')
    expect((await request(`${server.url}/readyz`)).status).toBe(200)
    expect((await postEvents(server.url, SHOP.secretKey, { events: [{ name: 'x', userId: 'u' }] })).status).toBe(202)
    expect(await server.run('audit')).toMatchObject({ code: 0 })
  },
  Math.max(180_000, RUNS * 100),
)

async function send({ path, method, headers, body }: HostileRequest): Promise<number> {
  const answer = await fetch(server.url + path, { method, headers, body: body as string | undefined })
  const text = await answer.text()
  if (answer.status >= 400) {
    const { error } = JSON.parse(text) as { error: { code: string; message: string } }
    if (!error.code || !error.message) throw new Error(`status ${answer.status} without code and message: ${text}`)
  } else JSON.parse(text)
  return answer.status
}
