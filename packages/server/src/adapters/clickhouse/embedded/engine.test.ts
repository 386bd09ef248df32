import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import type { ClickHouseClient } from '@clickhouse/client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bundleEngine, clickHouseFixture } from '../clickhouse.conformance.ts'
import type { RunningEngine } from './start-engine.ts'

const fixture = clickHouseFixture()
let dataDir: string
let engine: RunningEngine
let client: ClickHouseClient

beforeAll(async () => {
  dataDir = await fixture.folder()
  engine = await fixture.engine(dataDir, { bodyBytes: 8 * 1024 * 1024, memoryBytes: 2 ** 30 })
  client = fixture.client(engine)
  await client.command({ query: 'CREATE TABLE default.t (a UInt64, b String) ENGINE = MergeTree ORDER BY a' })
})
afterAll(() => fixture.cleanUp())

const rowsOf = async (query: string, parameters?: Record<string, unknown>, signal?: AbortSignal) => {
  const answer = await client.query({ query, query_params: parameters, abort_signal: signal, format: 'JSONEachRow' })
  return answer.json()
}
const post = (path: string, body: string | Uint8Array, headers: Record<string, string> = {}) => {
  const authorization = `Basic ${Buffer.from(`default:${engine.password}`).toString('base64')}`
  return fetch(engine.url + path, { method: 'POST', body, headers: { authorization, ...headers } })
}

test('the unmodified client pings, inserts, selects and sees errors as a server’s', async () => {
  expect(await client.ping()).toEqual({ success: true })
  expect(await client.ping({ select: true })).toEqual({ success: true })
  await client.insert({ table: 'default.t', values: [{ a: 1, b: 'x' }], format: 'JSONEachRow' })
  await client.insert({
    table: 'default.t',
    columns: ['b', 'a'],
    values: Readable.from([['y', 2]]),
    format: 'JSONCompactEachRow',
  })
  await client.command({
    query: 'INSERT INTO default.t VALUES (3, {text:String})',
    query_params: { text: "it's\t\\N" },
  })
  expect(await rowsOf('SELECT b FROM default.t ORDER BY a')).toEqual([{ b: 'x' }, { b: 'y' }, { b: "it's\t\\N" }])
  await expect(rowsOf('SELEC 1')).rejects.toMatchObject({ code: '62', type: 'SYNTAX_ERROR' })
  await expect(rowsOf('SELECT * FROM default.absent')).rejects.toMatchObject({ code: '60', type: 'UNKNOWN_TABLE' })
  await expect(rowsOf('SELECT {absent:String}')).rejects.toMatchObject({ code: '456' })
})

test('a wrong password is refused with ClickHouse’s code, a missing one too', async () => {
  const stranger = fixture.client(engine, 'wrong')
  await expect(stranger.query({ query: 'SELECT 1' })).rejects.toMatchObject({ code: '516' })
  const answer = await fetch(engine.url, { method: 'POST', body: 'SELECT 1' })
  expect([answer.status, answer.headers.get('x-clickhouse-exception-code')]).toEqual([403, '516'])
})

test('parameters and settings of statements that run side by side do not mix', async () => {
  const query = `SELECT {p:String} AS p, {n:UInt32} AS n, toUInt32(getSetting('max_threads')) AS threads, sum(number) AS s
    FROM numbers({n:UInt32} * 100)`
  const one = async (n: number) => {
    const p = `${n}'\\ üñ`
    const settings = n % 2 ? { max_threads: (n % 7) + 1 } : {}
    const answer = await client.query({
      query,
      query_params: { p, n },
      clickhouse_settings: settings,
      format: 'JSONEachRow',
    })
    const [row] = await answer.json<{ p: string; n: number; threads: number }>()
    expect(row).toMatchObject({ p, n })
    return [n, row?.threads] as const
  }
  const answers = await Promise.all(Array.from({ length: 90 }, (_, n) => one(n)))
  const usual = answers.find(([n]) => n === 0)?.[1]
  for (const [n, threads] of answers) expect(threads).toBe(n % 2 ? (n % 7) + 1 : usual)
})

test('an unknown setting fails its own statement only', async () => {
  const broken = client.query({ query: 'SELECT 1', clickhouse_settings: { no_such_setting: 1 } as never })
  await expect(broken).rejects.toMatchObject({ code: '115' })
  for (let i = 0; i < 6; i++) expect(await rowsOf('SELECT 1 AS a')).toEqual([{ a: 1 }])
})

test('what was said to be read-only is so for its own statement only', async () => {
  const insert = (settings = {}) =>
    client.command({
      query: 'INSERT INTO default.t VALUES (164, {text:String})',
      query_params: { text: 'x' },
      ...settings,
    })
  const readOnly = { clickhouse_settings: { readonly: '1' } }
  await expect(insert(readOnly)).rejects.toMatchObject({ code: '164' })
  await insert()
  for (let n = 0; n < 6; n++) {
    const [settings] = n % 2 ? [readOnly] : [{ clickhouse_settings: { max_threads: 3 } }]
    const answer = await client.query({ query: 'SELECT b FROM default.t WHERE a = 164', format: 'JSON', ...settings })
    expect((await answer.json()).data).toEqual([{ b: 'x' }])
  }
  await client.command({ query: 'SET readonly = 1' })
  await expect(insert()).rejects.toMatchObject({ code: '164' })
  await insert()
})

test('a gzip body is inflated; one that is or becomes too large is refused', async () => {
  const insert = `/?query=${encodeURIComponent('INSERT INTO default.t FORMAT JSONEachRow')}`
  const packed = await post(insert, gzipSync('{"a":9,"b":"packed"}'), { 'content-encoding': 'gzip' })
  expect(packed.status).toBe(200)
  expect(await rowsOf("SELECT toUInt32(a) AS a FROM default.t WHERE b = 'packed'")).toEqual([{ a: 9 }])
  const bomb = await post(insert, gzipSync(Buffer.alloc(9 * 1024 * 1024)), { 'content-encoding': 'gzip' })
  expect(bomb.headers.get('x-clickhouse-exception-code')).toBe('307')
  const large = post(insert, Buffer.alloc(9 * 1024 * 1024)).then((answer) =>
    answer.headers.get('x-clickhouse-exception-code'),
  )
  expect(await large.catch(() => '307')).toBe('307')
})

test('statements beyond the queue are refused at once, not kept', async () => {
  const gone = new AbortController()
  const slow = 'SELECT sleepEachRow(1) FROM numbers(100) SETTINGS max_block_size = 1'
  const running = Array.from({ length: 3 }, () => rowsOf(slow, {}, gone.signal))
  const codes: (string | null)[] = []
  const sent: Promise<unknown>[] = []
  const ask = () => {
    const asked = post('/', 'SELECT 1').then(({ headers }) => codes.push(headers.get('x-clickhouse-exception-code')))
    sent.push(asked)
    return asked
  }
  while (!codes.includes('202') && sent.length < 1000) {
    ask()
    await sleep(1)
  }
  const answered = codes.length
  await Promise.all(Array.from({ length: 20 }, ask))
  expect(new Set(codes.slice(answered))).toEqual(new Set(['202']))
  const kept = sent.length - codes.length
  expect(kept).toBeGreaterThan(120)
  expect(kept).toBeLessThan(160)
  gone.abort()
  await Promise.all([...sent, ...running.map((one) => expect(one).rejects.toThrow())])
  expect(new Set(codes)).toEqual(new Set(['202', null]))
})

test('a query whose caller goes away is stopped', async () => {
  const gone = new AbortController()
  const endless = rowsOf('SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1', {}, gone.signal)
  await sleep(300)
  gone.abort()
  await expect(endless).rejects.toThrow()
  await expect
    .poll(() =>
      rowsOf(
        "SELECT toUInt32(count()) AS n FROM system.processes WHERE query LIKE '%sipHash64%' AND query NOT LIKE '%processes%'",
      ),
    )
    .toEqual([{ n: 0 }])
})

test('a query that needs more memory than the engine may use fails, and the engine goes on', async () => {
  const greedy = rowsOf('SELECT length(groupArray(number)) FROM numbers(500000000)')
  await expect(greedy).rejects.toMatchObject({ code: '241' })
  expect(await rowsOf('SELECT 1 AS a')).toEqual([{ a: 1 }])
})

test('a second engine on the same directory is refused, with a message that says what to do', async () => {
  const second = fixture.engine(dataDir)
  await expect(second).rejects.toMatchObject({
    code: 'archive_unavailable',
    message: expect.stringMatching(/is in use by another process \(pid \d+\): stop it, or give another --data-dir/),
  })
})

test('a directory that cannot be written is named', async () => {
  const file = join(await fixture.folder(), 'file')
  await writeFile(file, '')
  await expect(fixture.engine(join(file, 'inside'))).rejects.toThrow(/did not start in .*file\/inside/)
})

test('a machine without chdb is told how to get it', async () => {
  // The bundle finds `chdb` through the folders above it; a copy elsewhere does not.
  const entry = join(await fixture.folder(), 'engine.mjs')
  await writeFile(entry, await readFile(await bundleEngine()))
  await expect(fixture.engine(await fixture.folder(), { entry })).rejects.toThrow(
    /npm install chdb.*or give --clickhouse/,
  )
})

test('rows arrive whole in a directory whose name reads like a pattern', async () => {
  const folder = join(await fixture.folder(), "od{d} [x]*?'q")
  const odd = fixture.client(await fixture.engine(folder))
  await odd.command({ query: 'CREATE DATABASE d ENGINE = Atomic' })
  await odd.command({ query: 'CREATE TABLE d.t (a UInt32) ENGINE = MergeTree ORDER BY a' })
  for (const count of [5000, 3, 70_000]) {
    const values = Array.from({ length: count }, (_, a) => ({ a }))
    const { summary } = await odd.insert({ table: 'd.t', values, format: 'JSONEachRow' })
    expect(summary?.written_rows).toBe(String(count))
  }
  const answer = await odd.query({ query: 'SELECT toUInt32(count()) AS n FROM d.t', format: 'JSONEachRow' })
  expect(await answer.json()).toEqual([{ n: 75_003 }])
})

test('stopping lets a running insert end', async () => {
  const folder = await fixture.folder()
  const first = await fixture.engine(folder)
  const writer = fixture.client(first)
  await writer.command({ query: 'CREATE TABLE default.t (a UInt64) ENGINE = MergeTree ORDER BY a' })
  let ended = false
  const insert = writer.command({ query: 'INSERT INTO default.t SELECT number FROM numbers(3000000) ORDER BY rand()' })
  const inserted = insert.then(() => {
    ended = true
  })
  await sleep(50)
  expect(ended).toBe(false)
  await Promise.all([first.stop(), inserted])
  expect((await first.exited).code).toBe(0)
  const again = fixture.client(await fixture.engine(folder))
  const answer = await again.query({ query: 'SELECT toUInt32(count()) AS n FROM default.t', format: 'JSONEachRow' })
  expect(await answer.json()).toEqual([{ n: 3000000 }])
})
