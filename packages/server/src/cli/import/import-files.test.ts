import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type RecordingServer, SECRET_KEY, startRecordingServer } from '../../../test/import/recording-server.ts'
import { importFiles } from './import-files.ts'
import type { ImportOptions, ImportProgress } from './import-options.ts'

const MAP = { name: { value: 'purchase' }, userId: { column: 'user' }, revenue: { multiply: ['count', 'price'] } }

let folder: string
let server: RecordingServer

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nowcast-import-'))
  server = await startRecordingServer()
})
afterEach(async () => {
  await server.close()
  await rm(folder, { recursive: true, force: true })
})

async function file(name: string, content: string | Buffer): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, content)
  return path
}

function run(path: string | string[], options: Partial<ImportOptions> = {}) {
  const files = Array.isArray(path) ? path : [path]
  const stateDir = join(folder, 'state')
  return importFiles({ files, project: 'shop', url: server.url, key: SECRET_KEY, stateDir, ...options })
}

function events(count: number, from = 1): string {
  return Array.from({ length: count }, (_, i) => `{"name":"click","userId":"u${(i + from) % 5}"}\n`).join('')
}

function logLine(minute: number, request = 'GET / HTTP/1.1'): string {
  const time = `[17/May/2015:10:${String(minute % 60).padStart(2, '0')}:03 +0000]`
  return `192.0.2.${minute % 200} - - ${time} "${request}" 200 12 "-" "Browser"\n`
}

describe('a file is imported once', () => {
  it('gives equal lines ids of their own and refuses the file a second time', async () => {
    const path = await file('equal.ndjson', '{"name":"click","userId":"u"}\n'.repeat(3))
    expect(await run(path)).toMatchObject({ lines: 3, accepted: 3 })
    expect(server.ids.size).toBe(3)
    await expect(run(path)).rejects.toMatchObject({
      code: 'already_imported',
      message: expect.stringContaining('--force'),
    })

    await run(path, { force: true })
    expect(server.ids.size).toBe(3)
    expect(server.repeats).toBe(3)
    expect((await stat(join(folder, 'state'))).mode & 0o777).toBe(0o700)
  })

  it('imports into another project, and passes over finished files among others', async () => {
    const first = await file('a.ndjson', events(4))
    const second = await file('b.ndjson', events(6))
    await run(first)
    await run(first, { project: 'other' })
    const report = await run([first, second])
    expect(report.files.map(({ status }) => status)).toEqual(['already imported', 'imported'])
    expect(report.accepted).toBe(6)
  })

  it('keeps an id that a native event brings', async () => {
    await run(await file('own.ndjson', '{"id":"mine","name":"click","userId":"u"}\n'))
    expect([...server.ids]).toEqual(['mine'])
  })

  it('goes on after the known lines of a log that has grown', async () => {
    const path = await file('growing.log', logLine(1) + logLine(2))
    await run(path)
    await appendFile(path, logLine(3))
    const report = await run(path)
    expect(report.files[0]).toMatchObject({ lines: 3, accepted: 3, resumedAfterLine: 2 })
    expect(server.ids.size).toBe(3)
    expect(server.repeats).toBe(0)
    await expect(run(await file('copy.log', logLine(1) + logLine(2)))).rejects.toMatchObject({
      code: 'already_imported',
    })
  })

  it('imports what a truncated gzip file has, and the rest when it is whole', async () => {
    const whole = gzipSync(
      Array.from({ length: 20_000 }, (_, i) => logLine(i, `GET /${Math.random()} HTTP/1.1`)).join(''),
    )
    const path = await file('cut.log.gz', whole.subarray(0, whole.length / 2))
    const error = await run(path).catch((error) => error)
    expect(error).toMatchObject({ code: 'truncated_gzip', message: expect.stringMatching(/after line \d+\./) })
    expect(error.report.files[0].status).toBe('stopped')
    expect(error.report.accepted).toBeGreaterThan(1000)
    expect(server.ids.size).toBe(error.report.accepted)

    await writeFile(path, whole)
    expect(await run(path)).toMatchObject({ lines: 20_000, accepted: 20_000 })
    expect(server.ids.size).toBe(20_000)
  })

  it('goes on after an abort, and refuses to with another map unless forced', async () => {
    const rows = Array.from({ length: 30_000 }, (_, i) => `u${i % 9},1,${i}.5\n`).join('')
    const path = await file('orders.csv', `user,count,price\n${rows}`)
    const stop = new AbortController()
    server.fault = () => 'slow'
    server.onEvent = () => server.ids.size > 8000 && stop.abort()
    const error = await run(path, { map: MAP, signal: stop.signal }).catch((error) => error)
    expect(error).toMatchObject({ code: 'interrupted', message: expect.stringContaining('goes on') })

    const other = { ...MAP, name: { value: 'order' } }
    await expect(run(path, { map: other })).rejects.toMatchObject({
      code: 'settings_differ',
      message: expect.stringContaining('another map'),
    })
    server.fault = () => undefined
    const sameInOtherOrder = { revenue: MAP.revenue, userId: MAP.userId, name: MAP.name }
    const report = await run(path, { map: sameInOtherOrder })
    expect(report).toMatchObject({ lines: 30_000, accepted: 30_000 })
    expect(report.files[0]!.resumedAfterLine).toBeGreaterThan(0)
    expect(server.ids.size).toBe(30_000)
  })
})

describe('a bad line harms no other', () => {
  it('writes rejected lines beside the input and accounts for every line', async () => {
    const text = '\ufeff{"name":"click","userId":"u"}\r\n\r\n{"name":\r\n[1]\r\n{"name":"click","userId":"v"}'
    const path = await file('mixed.ndjson', text)
    const report = await run(path)
    expect(report).toMatchObject({ lines: 5, accepted: 2, rejected: 2, blank: 1, rejectedBy: { not_json: 2 } })
    const rejected = (await readFile(report.files[0]!.rejectedFile!, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(report.files[0]!.rejectedFile).toBe(`${path}.rejected.ndjson`)
    expect(rejected).toMatchObject([
      { line: 3, code: 'not_json', text: '{"name":' },
      { line: 4, code: 'not_json', text: '[1]' },
    ])
  })

  it('rejects lines that are too long, not UTF-8, or hold NUL bytes', async () => {
    const good = Buffer.from('{"name":"click","userId":"u"}\n')
    const long = Buffer.from(`{"name":"click","userId":"u","title":"${'x'.repeat(1_100_000)}"}\n`)
    const latin = Buffer.from('{"name":"click","userId":"Jos\xe9"}\n', 'latin1')
    const nul = Buffer.from('{"name":"click","userId":"a\0b"}\n')
    const path = await file('faults.ndjson', Buffer.concat([good, long, good, latin, nul, good]))
    const report = await run(path)
    expect(report).toMatchObject({
      lines: 6,
      accepted: 3,
      rejectedBy: { line_too_long: 1, invalid_utf8: 1, nul_byte: 1 },
    })
    expect((await stat(report.files[0]!.rejectedFile!)).size).toBeLessThan(4000)
  })

  it('loses one record, not the rest, to a quote that is never closed', async () => {
    const path = await file('quotes.csv', 'user,count,price\nu,1,"2\nv,1,3\n"w\nx",1,4\ny,1\nz,1,5\n')
    const report = await run(path, { map: MAP })
    // With the quote of line 2 the record ends in line 5, but has too many fields: so line 2 is given up alone.
    expect(report.accepted + report.rejected).toBe(report.lines)
    expect(report.rejectedBy).toEqual({ unclosed_quote: 1, wrong_columns: 1 })
    expect(report.accepted).toBe(3)
  })

  it('uses the state folder where it cannot write beside the input', async () => {
    const path = await file('a.ndjson', `${events(2)}nonsense\n`)
    await mkdir(`${path}.rejected.ndjson`)
    const report = await run(path)
    expect(report.files[0]!.rejectedFile).toMatch(/state\/\w{8}-a\.ndjson\.rejected\.ndjson$/)
    expect(await readFile(report.files[0]!.rejectedFile!, 'utf8')).toContain('"line":3')
  })
})

describe('bad input gets a sentence that says what to do', () => {
  it.each([
    ['missing', () => join(folder, 'none.csv'), 'not_found', /There is no file/],
    ['a folder', () => folder, 'not_a_file', /is a folder/],
    ['a ZIP archive', () => file('a.csv', 'PK\x03\x04rest'), 'unknown_format', /ZIP archive or a spreadsheet: unpack/],
    ['UTF-16', () => file('a.csv', Buffer.from('\ufeffa,b\n', 'utf16le')), 'unknown_format', /iconv/],
    ['a JSON array', () => file('a.json', '[{"name":"x"},\n{"name":"y"}]'), 'unknown_format', /jq -c/],
    ['prose', () => file('a.txt', 'Dear reader\nhow are you?\n'), 'unknown_format', /--format/],
    ['CSV without a map', () => file('a.csv', 'user,price\nu,1\n'), 'invalid_map', /"user", "price"/],
  ])('%s', async (_, path, code, message) => {
    await expect(run(await path())).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
    expect(server.requests).toBe(0)
  })

  it('refuses damaged gzip data before anything is sent', async () => {
    const data = gzipSync(Array.from({ length: 5000 }, (_, i) => logLine(i, `GET /${Math.random()} HTTP/1.1`)).join(''))
    data[data.length >> 1]! ^= 0xff
    const error = await run(await file('bad.log.gz', data)).catch((error) => error)
    expect(error.code).toBe('corrupt_gzip')
    expect(server.requests).toBe(0)
  })

  it('stops when the first 100 lines are rejected, suggests the right format, and leaves no trace', async () => {
    const path = await file('access.log', Array.from({ length: 500 }, (_, i) => logLine(i)).join(''))
    await expect(run(path, { format: 'ndjson' })).rejects.toMatchObject({
      code: 'wrong_format',
      message: expect.stringContaining('--format combined-log'),
    })
    expect((await readdir(folder)).sort()).toEqual(['access.log', 'state'])
    expect(await run(path)).toMatchObject({ accepted: 500 })
  })

  it('names the columns there are when the map names another, and the delimiter when that is wrong', async () => {
    const path = await file('orders.csv', 'user;count;cost\nu;1;2\n')
    await expect(run(path, { map: MAP })).rejects.toThrow(/"price".*"user", "count", "cost"/)
    await expect(run(path, { map: MAP, delimiter: ',' })).rejects.toThrow(/--delimiter/)
  })

  it.each([
    [{ map: { ...MAP, colour: { value: 'red' } } }, /map: does not know "colour"/],
    [{ map: { ...MAP, timestamp: { column: 'when', zone: 'Mars/Olympus' } } }, /map\.timestamp/],
    [{ map: { name: { value: 'x' } } }, /needs `userId` or `anonymousId`/],
    [{ zone: 'Mars/Olympus' }, /--zone/],
    [{ delimiter: 'ab' }, /--delimiter/],
    [{ url: 'nonsense' }, /--url/],
    [{ key: 'nc_pub_x' }, /secret key/],
  ])('refuses options %j', async (options, message) => {
    await expect(run(await file('a.csv', 'user\nu\n'), options)).rejects.toThrow(message)
  })

  it('says so when a file is empty', async () => {
    const report = await run(await file('empty.csv', ''))
    expect(report).toMatchObject({ lines: 0, accepted: 0 })
    expect(report.files[0]!.note).toBe('The file is empty.')
  })
})

describe('the server', () => {
  it('is tried again while it is away, with a notice, and given up after a while', async () => {
    const path = await file('a.ndjson', events(3))
    const notices: string[] = []
    server.fault = () => 'unavailable'
    const options = { giveUpAfterMs: 400, notice: (message: string) => notices.push(message) }
    await expect(run(path, options)).rejects.toMatchObject({ code: 'unreachable' })
    expect(notices[0]).toMatch(/not taking events now \(503 .*trying again/)
    server.fault = () => undefined
    expect(await run(path)).toMatchObject({ accepted: 3 })
  })

  it('gets no second request after it has refused the key', async () => {
    const path = await file('a.ndjson', events(3))
    await expect(run(path, { key: 'nc_sec_other' })).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining("give the project's secret key"),
    })
    expect(server.requests).toBeLessThanOrEqual(4)
  })

  it('refuses every line: that is the wrong format too', async () => {
    server.refuse = () => ({ code: 'invalid_name', message: 'The name is missing.' })
    const path = await file('a.ndjson', events(3))
    await expect(run(path)).rejects.toMatchObject({
      code: 'wrong_format',
      message: expect.stringContaining('The name is missing'),
    })
  })

  it('gets several requests at once, and progress is shown', async () => {
    const shown: ImportProgress[] = []
    server.fault = () => 'slow'
    const path = await file('a.ndjson', Array.from({ length: 20_000 }, (_, i) => events(1, i)).join(''))
    await run(path, { progress: (progress) => shown.push(progress) })
    expect(server.mostInFlight).toBeGreaterThan(1)
    expect(server.mostInFlight).toBeLessThanOrEqual(4)
    const last = shown.at(-1)!
    expect(last).toMatchObject({ phase: 'importing', lines: 20_000, accepted: 20_000, rejected: 0 })
    expect(last.bytesRead).toBe(last.bytesTotal)
    expect(last.eventsPerSecond).toBeGreaterThan(0)
  })
})
