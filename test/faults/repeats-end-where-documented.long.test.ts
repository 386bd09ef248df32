import type { EventInput, TotalAnswer } from '@nowcast/protocol'
import { afterAll, afterEach, expect, test } from 'vitest'
import { clickHouseFixture } from '../../packages/server/src/adapters/clickhouse/clickhouse.conformance.ts'
import { type ProjectKeys, readTokenOf } from '../servers/known-projects.ts'
import { ask, sendEvents } from '../servers/requests.ts'
import { startServer, type TestServer } from '../servers/start-server.ts'
import { until } from '../servers/until.ts'
import { type KnownEvent, RUN } from './harness/generated-traffic.ts'
import { type ServerParts, startParts, sumOf, wrongFigures } from './harness/server-parts.ts'

/** N and W of the rule. */
const OFFSETS = 1000
const DAY_MS = 24 * 3_600_000
const CATCH_UP_MS = 60_000

const fixture = clickHouseFixture()
let server: TestServer | undefined
let parts: ServerParts | undefined
afterEach(async () => {
  await server?.remove()
  await parts?.stop()
  server = undefined
  parts = undefined
})
afterAll(() => fixture.cleanUp())

test('across kill -9, the same id counts once up to N offsets later, and again beyond; live and in history', async () => {
  const running = await startServer({ config: { partitions: 1, duplicateOffsets: OFFSETS } })
  server = running
  const [project] = (await running.ownProjects()) as [ProjectKeys]
  const timestamp = Date.now()
  let offset = 0
  let fillers = 0
  const event = (name: string, id: string): EventInput => ({
    ...{ id, name, timestamp, anonymousId: 'a', properties: { run: RUN } },
  })
  const send = async (...events: EventInput[]) => {
    await sendEvents(running.url, project.secretKey, events)
    offset += events.length
  }
  const fillTo = async (end: number) =>
    send(...Array.from({ length: end - offset }, () => event('filler', `filler-${fillers++}`)))
  const restart = async () => {
    await running.kill()
    await running.start()
  }

  await send(event('nearer', 'a'), event('at_n', 'b'), event('beyond', 'c'))
  await fillTo(OFFSETS - 1)
  await restart()
  await send(event('nearer', 'a'))
  await fillTo(1 + OFFSETS)
  await restart()
  await send(event('at_n', 'b'))
  await fillTo(2 + OFFSETS + 1)
  await send(event('beyond', 'c'))
  // A repeat is an occurrence too: this one is N behind the last, and twice as far behind the first.
  await fillTo(OFFSETS - 1 + OFFSETS)
  await restart()
  await send(event('nearer', 'a'))

  const expected = { nearer: 1, at_n: 1, beyond: 2, filler: fillers }
  const range = { from: timestamp - DAY_MS / 2, to: timestamp + 3_600_000 }
  const counted = async (name: string, filters: object) => {
    const query = { kind: 'total', range, filters: { name: [name], ...filters }, bots: true }
    return (await ask<TotalAnswer>(running.url, readTokenOf(project), query)).v
  }
  await until(fillers, () => counted('filler', { 'properties.run': [RUN] }), CATCH_UP_MS)
  await until(fillers, () => counted('filler', {}), CATCH_UP_MS)
  const { code, stdout } = await running.run('audit')
  expect(stdout).toContain('clean')
  expect(code).toBe(0)
  for (const [name, events] of Object.entries(expected)) {
    expect({ name, live: await counted(name, {}) }).toEqual({ name, live: events })
    expect({ name, history: await counted(name, { 'properties.run': [RUN] }) }).toEqual({ name, history: events })
  }
})

test('across a restart of the readers, the same id counts once up to W later, and again a second beyond', async () => {
  const eventStore = await fixture.store(await fixture.folder())
  const path = await fixture.folder()
  const startedAt = Date.now()
  let receivedAt = startedAt
  const event = (id: string): KnownEvent => ({
    ...{
      id,
      name: 'click',
      timestamp: startedAt - 60_000,
      anonymousId: id,
      category: 'hats',
      properties: { run: RUN },
    },
  })
  const accept = async (id: string, at: number) => {
    receivedAt = at
    await parts?.accept({ key: 'secret', events: [event(id)] })
  }
  const open = () => startParts({ path, eventStore, receivedAt: () => receivedAt })

  parts = await open()
  await parts.consume()
  await accept('within', startedAt)
  await accept('beyond', startedAt)
  await parts.caughtUp()
  await parts.stop()
  parts = await open()
  await parts.consume()
  await accept('within', startedAt + DAY_MS - 1000)
  await accept('beyond', startedAt + DAY_MS + 1000)
  await parts.caughtUp()
  const counted = ['within', 'beyond', 'beyond'].map(event)
  expect(await wrongFigures(parts, sumOf([{ key: 'secret', events: counted }]))).toEqual([])
})
