import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CliRun, runNowcast } from './servers/nowcast-cli.ts'
import { startServer, type TestServer } from './servers/start-server.ts'

const SERVER_PACKAGE = fileURLToPath(new URL('../packages/server', import.meta.url))

let server: TestServer
let folder: string
beforeAll(async () => {
  server = await startServer()
  folder = await mkdtemp(join(tmpdir(), 'nowcast-commands-'))
})
afterAll(async () => {
  await server?.remove()
  await rm(folder, { recursive: true, force: true })
})

/** One sentence of ours: exit code 1, and no stack. */
function expectSentence({ code, stdout, stderr }: CliRun, ...parts: (string | RegExp)[]): void {
  expect({ code, stdout }).toEqual({ code: 1, stdout: expect.any(String) })
  for (const part of parts) expect(stderr).toMatch(part)
  expect(stderr).not.toMatch(/\n\s+at /)
}

async function written(name: string, content: string | Uint8Array): Promise<string> {
  const file = join(folder, name)
  await writeFile(file, content)
  return file
}

const start = (...flags: string[]) => runNowcast(['start', '--port', '0', ...flags], folder, 10_000)

describe('a server that cannot start', () => {
  it('because the port is in use', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as { port: number }
    const run = await runNowcast(['start', '--port', String(port), '--data-dir', join(folder, 'port')], folder)
    other.close()
    expectSentence(run, `port ${port}`, 'in use', '--port')
  })
  it('because the data directory cannot be written', async () => {
    const file = await written('a-file', '')
    expectSentence(await start('--data-dir', '/proc/nowcast'), '/proc/nowcast', 'cannot be written', '--data-dir')
    expectSentence(await start('--data-dir', join(file, 'data')), join(file, 'data'), 'cannot be written', '--data-dir')
    expectSentence(await start('--data-dir', file), file, 'cannot be written', '--data-dir')
  })
  it('because another process holds the data directory', async () => {
    const run = await start('--data-dir', server.dataDir)
    expectSentence(run, server.dataDir, `held by process ${server.pid()}`, server.url, '--data-dir')
  })
  it('because a newer version wrote the log', async () => {
    const dataDir = await stoppedServersDir()
    const code = `import { open } from 'lmdb'
      const root = open({ path: ${JSON.stringify(join(dataDir, 'log'))}, maxDbs: 8, encoding: 'binary' })
      const meta = root.openDB({ name: 'meta', encoding: 'ordered-binary' })
      await meta.put('format', 99); await root.close()`
    await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code], { cwd: SERVER_PACKAGE })
    expectSentence(await start('--data-dir', dataDir), 'newer version', '99', 'upgrade')
    // Nothing of it was touched: it is refused again.
    expectSentence(await start('--data-dir', dataDir), 'newer version')
  })
  it('because a newer version made the tables', async () => {
    const dataDir = await stoppedServersDir()
    const code = `import { Session } from 'chdb'
      const session = new Session(${JSON.stringify(join(dataDir, 'clickhouse'))})
      session.query("INSERT INTO nowcast.migrations (version, name) VALUES (999, 'later')")
      session.close?.()`
    await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code], { cwd: SERVER_PACKAGE })
    expectSentence(await start('--data-dir', dataDir), '999', /upgrade/i)
  })
  it('because the list of its projects is damaged', async () => {
    const dataDir = join(folder, 'damaged')
    await mkdir(dataDir)
    await writeFile(join(dataDir, 'projects.json'), '[{"id":')
    expectSentence(await start('--data-dir', dataDir), join(dataDir, 'projects.json'), 'projects')
  })

  async function stoppedServersDir(): Promise<string> {
    const other = await startServer()
    await other.stop()
    return other.dataDir
  }
})

describe('a configuration that cannot be used', () => {
  const project = { id: 'shop', writeKey: 'nc_pub_00000000', secretKey: 'nc_sec_00000000', readSecret: 'r'.repeat(32) }
  it.each<[field: string | RegExp, config: unknown]>([
    ['colour', { colour: 'red' }],
    ['projects.0.colour', { projects: [{ ...project, colour: 'red' }] }],
    ['port', { port: 70_000 }],
    ['port', { port: 'http' }],
    ['projects.0.readSecret', { projects: [{ ...project, readSecret: 'short' }] }],
    ['projects.0.writeKey', { projects: [{ ...project, writeKey: 'pub' }] }],
    ['projects.0.timezone', { projects: [{ ...project, timezone: 'Mars' }] }],
    ['projects.0.currency', { projects: [{ ...project, currency: 'euro' }] }],
    ['projects.0.hotDimensions', { projects: [{ ...project, hotDimensions: ['a', 'b', 'c'] }] }],
    ['projects.0.rates.USD', { projects: [{ ...project, rates: { USD: 0.9 } }] }],
    ['projects.0.id', { projects: [{ ...project, id: '../x' }] }],
    ['same id', { projects: [project, project] }],
    ['clickhouse', { clickhouse: 'localhost:8123' }],
    ['partitions', { partitions: 0 }],
    ['trustProxy', { trustProxy: -1 }],
    ['trustProxy', { trustProxy: ['10.0.0.0/99'] }],
    ['countryDatabase', { countryDatabase: '/no/such.mmdb' }],
    [/object/, []],
    [/object/, null],
  ])('names the field %s: %j', async (field, config) => {
    const file = await written('config.json', JSON.stringify(config))
    expectSentence(
      await runNowcast(['start', '--config', file, '--data-dir', join(folder, 'unused')], folder, 10_000),
      field,
    )
  })
  it('is missing or no JSON', async () => {
    expectSentence(await start('--config', join(folder, 'nowhere.json')), 'nowhere.json', 'cannot be read')
    expectSentence(await start('--config', await written('bad.json', '{')), 'bad.json', 'no JSON')
  })
  it.each([
    ['--port', 'http', 'port'],
    ['--port', '70000', 'port'],
    ['--host', '203.0.113.1', 'no address of this machine'],
    ['--clickhouse', 'ftp://x', 'clickhouse'],
    ['--trust-proxy', 'everyone', 'trustProxy'],
    ['--log-level', 'loud', '--log-level'],
    ['--colour', 'red', '--colour'],
  ])('%s %s', async (flag, value, part) => {
    expectSentence(await start('--data-dir', join(folder, 'flags'), flag, value), part)
  })
})

describe('a command that cannot be carried out', () => {
  const run = (...args: string[]) => server.run(args[0] as string, ...args.slice(1))
  it.each([
    [['token', '--expires', 'soon'], '--expires soon'],
    [['token', '--expires', '0d'], '--expires 0d'],
    [['token', '--filter', 'US'], '--filter US'],
    [['token', '--metric', 'sales'], '--metric sales'],
    [['token', '--project', 'nobody'], 'no project nobody'],
    [['audit', '--from', 'yesterday'], '--from yesterday'],
    [['demo', '--events-per-second', '-5'], '--events-per-second'],
    [['import'], 'file'],
  ])('%j', async (args, part) => {
    expectSentence(await run(...args), part)
  })
  it('an unknown one', async () => {
    expectSentence(await runNowcast(['explode'], folder), /explode|too many arguments/)
  })
  it('a token without a project', async () => {
    const empty = join(folder, 'empty')
    expectSentence(await runNowcast(['token', '--data-dir', empty], folder), 'nowcast start', '--data-dir')
  })
})

describe('a file that cannot be imported', () => {
  const ndjson = (i: number) => JSON.stringify({ name: 'click', userId: `u${i}`, timestamp: 1_700_000_000_000 + i })
  const lines = (count: number, first = 0) =>
    `${Array.from({ length: count }, (_, i) => ndjson(first + i)).join('\n')}\n`
  const imported = (...args: string[]) => server.run('import', ...args)

  it('is not there, or a folder', async () => {
    expectSentence(await imported(join(folder, 'nowhere.log')), 'nowhere.log', /no file/i)
    expectSentence(await imported(folder), /folder/)
  })
  it.each([
    ['a.zip', Buffer.from('504b0304', 'hex'), /ZIP/],
    ['a.zst', Buffer.from('28b52ffd', 'hex'), /zstd/],
    ['a.parquet', Buffer.from('PAR1'), /Parquet/],
    ['a.csv', Buffer.from('\ufeffa,b', 'utf16le'), /UTF-16/],
    ['a.json', Buffer.from('[{"name":"click"}]'), /one object per line/],
    ['a.txt', Buffer.from('once upon a time\nthere was a file\n'), /--format/],
  ])('is of a wrong kind: %s', async (name, content, part) => {
    expectSentence(await imported(await written(name, content)), name, part)
  })
  it('has another format than was said', async () => {
    const file = await written('events.ndjson', lines(20))
    expectSentence(await imported(file, '--format', 'combined-log'), 'ndjson', 'Nothing was imported')
    expectSentence(await imported(file, '--format', 'excel'), '--format')
  })
  it('is damaged', async () => {
    const zipped = gzipSync(lines(2000))
    zipped.fill(0xff, zipped.length / 2, zipped.length / 2 + 50)
    expectSentence(await imported(await written('damaged.ndjson.gz', zipped)), 'damaged', 'get the file again')
  })
  it('is cut: what is there is imported, the rest when it is whole', async () => {
    const zipped = gzipSync(lines(5000))
    const file = await written('cut.ndjson.gz', zipped.subarray(0, zipped.length / 2))
    const first = await imported(file)
    expect(first.code).toBe(1)
    expect(first.stderr).toMatch(/whole|cut|truncated/i)
    await writeFile(file, zipped)
    const second = await imported(file)
    expect({ code: second.code, stderr: second.stderr }).toMatchObject({ code: 0 })
    expect(second.stdout).toMatch(/5,000 lines read, 5,000 accepted, 0 rejected/)
  })
  it('has bad lines: the good ones are imported, the others stand in a file beside it', async () => {
    const bad = ['{', '{"name":""}', '{"name":"click"}', '5', '{"name":"click","userId":"u","revenue":"NaN"}']
    const file = await written('some-bad.ndjson', `${lines(10)}${bad.join('\n')}\n\n${lines(10, 10)}`)
    const { code, stdout } = await imported(file)
    expect(code).toBe(0)
    expect(stdout).toMatch(/20 accepted, 5 rejected/)
    expect(stdout).toMatch(/invalid_revenue: 1/)
    const beside = /rejected lines are in (.*)/.exec(stdout)?.[1] as string
    const rejected = (await readFile(beside, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(rejected.map(({ line }) => line)).toEqual([11, 12, 13, 14, 15])
    expect(rejected.map(({ text }) => text)).toEqual(bad)
  })
  it('has a map that is wrong', async () => {
    const file = await written('orders.csv', 'id,when\n1,2026-01-01\n')
    expectSentence(await imported(file, '--map', join(folder, 'nomap.json')), 'nomap.json', 'cannot be read')
    expectSentence(await imported(file, '--map', await written('map.json', '{')), 'map.json', 'no JSON')
    const map = { name: { value: 'purchase' }, userId: { column: 'customer' }, timestamp: { column: 'when' } }
    expectSentence(await imported(file, '--map', await written('map.json', JSON.stringify(map))), 'customer', 'id')
    const unknown = { ...map, colour: { value: 'red' } }
    expectSentence(await imported(file, '--map', await written('map.json', JSON.stringify(unknown))), 'colour')
    expectSentence(await imported(file, '--zone', 'Mars'), '--zone Mars')
    expectSentence(await imported(file, '--delimiter', ';;'), '--delimiter')
  })
  it('goes to a wrong server or with a wrong key', async () => {
    const file = await written('keys.ndjson', lines(3))
    const [project] = await server.ownProjects()
    const at = ['--url', server.url, '--key']
    expectSentence(await imported(file, ...at, project?.writeKey as string), 'secret key')
    expectSentence(await imported(file, ...at, 'nc_sec_nobody_knows'), 'secret key')
    expectSentence(await imported(file, '--url', 'nowhere', '--key', 'nc_sec_x'), '--url nowhere')
  })
})
