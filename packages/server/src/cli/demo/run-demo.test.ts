import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EventInput } from '@nowcast/protocol'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type RecordingServer, SECRET_KEY, startRecordingServer } from '../../../test/import/recording-server.ts'
import type { DemoState } from './demo-state.ts'
import { createDemoTraffic } from './demo-traffic.ts'
import { type DemoOptions, type DemoProgress, runDemo } from './run-demo.ts'

const HOUR_MS = 3_600_000

let folder: string
let server: RecordingServer
let taken: EventInput[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nowcast-demo-'))
  server = await startRecordingServer()
  taken = []
  server.onEvent = (event) => taken.push(event)
})
afterEach(async () => {
  await server.close()
  await rm(folder, { recursive: true, force: true })
})

/** Runs the demo until it has gone on live for a few steps. */
async function runAwhile(options: Partial<DemoOptions> = {}): Promise<DemoProgress[]> {
  const stop = new AbortController()
  const shown: DemoProgress[] = []
  await runDemo({
    url: server.url,
    key: SECRET_KEY,
    stateFile: join(folder, 'demo.json'),
    backfillMs: HOUR_MS / 3,
    stepMs: 20,
    signal: stop.signal,
    progress: (progress) => {
      shown.push(progress)
      if (shown.filter(({ phase }) => phase === 'live').length >= 5) stop.abort()
    },
    ...options,
  })
  return shown
}

const stateOf = async () => JSON.parse(await readFile(join(folder, 'demo.json'), 'utf8')) as DemoState

it('fills the past and goes on live, then only what is missing, without a gap or a repeat', async () => {
  const startedAt = Date.now()
  server.fault = (request) => (request % 5 === 1 ? 'unavailable' : undefined)
  const first = await runAwhile()
  expect(first[0]!.phase).toBe('backfill')
  expect(first.at(-1)!.phase).toBe('live')
  const { sentUntilMs } = await stateOf()
  expect(sentUntilMs).toBeGreaterThan(startedAt)

  const later = sentUntilMs + 10 * 60_000
  const again = Date.now()
  await runAwhile({ now: () => later + Date.now() - again })
  const { sentUntilMs: end } = await stateOf()
  expect(end).toBeGreaterThanOrEqual(later)

  const from = first[0]!.fromMs
  const expected = createDemoTraffic({ seed: 1 }).eventsBetween(from, end)
  expect(new Set(taken.map(({ id }) => id))).toEqual(new Set(expected.map(({ id }) => id)))
  expect(taken).toHaveLength(expected.length)
  expect(server.repeats).toBe(0)

  const last = new Map<string, number>()
  for (const { anonymousId, timestamp } of taken) {
    expect(timestamp as number).toBeGreaterThanOrEqual(last.get(anonymousId!) ?? 0)
    last.set(anonymousId!, timestamp as number)
  }
})

it('begins thinly when a day is to be filled', async () => {
  await runAwhile({ backfillMs: 24 * HOUR_MS, backfillEvents: 10_000, eventsPerSecond: 4 })
  // At full pace there would be 345,600. How many there are depends on which day and hour it is.
  expect(taken.length).toBeGreaterThan(4000)
  expect(taken.length).toBeLessThan(20_000)
})

it('says when the key is refused', async () => {
  await expect(runAwhile({ key: 'nc_sec_other' })).rejects.toMatchObject({ code: 'refused' })
})

it('says when events are rejected, and goes on', async () => {
  const notices: string[] = []
  server.refuse = ({ name }) => (name === 'click' ? { code: 'invalid_name', message: 'No clicks here.' } : undefined)
  const shown = await runAwhile({ backfillMs: 10 * 60_000, notice: (message) => notices.push(message) })
  expect(notices).toEqual(['The server rejects events: No clicks here.'])
  expect(shown.at(-1)!.rejected).toBeGreaterThan(0)
  expect(shown.at(-1)!.accepted).toBe(taken.length)
})
