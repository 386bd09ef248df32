import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { bundleImport, kill } from '../../../test/import/killable-import.ts'
import { type RecordingServer, SECRET_KEY, startRecordingServer } from '../../../test/import/recording-server.ts'
import { importFiles } from './import-files.ts'

const LINES = 40_000
/** Every so many lines one that no reader takes, and one that the server refuses. */
const BAD_EVERY = 1000
const REFUSED_EVERY = 1700

let folder: string
let server: RecordingServer

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nowcast-killed-'))
  server = await startRecordingServer()
})
afterAll(async () => {
  await server.close()
  await rm(folder, { recursive: true, force: true })
})

it('covers every line once, whatever is killed and whatever the server does', async () => {
  const input = join(folder, 'events.ndjson')
  const lines = Array.from({ length: LINES }, (_, i) => {
    if ((i + 1) % BAD_EVERY === 0) return `no JSON in line ${i + 1}`
    const title = (i + 1) % REFUSED_EVERY === 0 ? 'refuse me' : 'a page'
    return JSON.stringify({ name: 'page_view', anonymousId: `v${i % 37}`, title, timestamp: 1_700_000_000_000 + i })
  })
  await writeFile(input, `${lines.join('\n')}\n`)
  await mkdir(join(folder, 'bundle'))
  const start = await bundleImport(join(folder, 'bundle'))
  const options = {
    files: [input],
    project: 'shop',
    url: server.url,
    key: SECRET_KEY,
    stateDir: join(folder, 'state'),
  }

  const faults = ['slow', 'slow', 'lost', 'slow', 'unanswered', 'slow', 'unavailable', 'slow', 'limited'] as const
  server.fault = (request) => faults[request % faults.length]
  server.refuse = ({ title }) =>
    title === 'refuse me' ? { code: 'invalid_title', message: 'Not this title.' } : undefined

  for (const wanted of [6_000, 15_000, 26_000]) {
    const child = start(options)
    while (server.ids.size < wanted && child.exitCode === null) await sleep(10)
    expect(child.exitCode).toBeNull()
    await kill(child)
  }
  expect(server.ids.size).toBeLessThan(LINES - 1000)
  const report = await importFiles(options)

  const bad = LINES / BAD_EVERY
  const refused = Math.floor(LINES / REFUSED_EVERY) - Math.floor(LINES / 17_000)
  expect(report).toMatchObject({
    lines: LINES,
    accepted: LINES - bad - refused,
    rejected: bad + refused,
    rejectedBy: { not_json: bad, invalid_title: refused },
  })
  expect(report.files[0]!.resumedAfterLine).toBeGreaterThan(0)
  expect(server.ids.size).toBe(LINES - bad - refused)
  expect(server.repeats).toBeGreaterThan(0)
  expect(server.disordered).toEqual([])

  const rejected = (await readFile(`${input}.rejected.ndjson`, 'utf8')).trim().split('\n')
  const numbers = rejected.map((line) => (JSON.parse(line) as { line: number }).line)
  expect(numbers).toEqual(lines.flatMap((_, i) => (isRejected(i + 1) ? [i + 1] : [])))
  await expect(importFiles(options)).rejects.toMatchObject({ code: 'already_imported' })
})

function isRejected(line: number): boolean {
  return line % BAD_EVERY === 0 || line % REFUSED_EVERY === 0
}
