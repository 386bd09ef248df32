import { readFile } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import type { BreakdownAnswer, SeriesAnswer, TotalAnswer } from '@nowcast/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { knownProject, readTokenOf } from './servers/known-projects.ts'
import { ask } from './servers/requests.ts'
import { linkInto, sharedData } from './servers/shared-data.ts'
import { startServer, type TestServer } from './servers/start-server.ts'
import { until } from './servers/until.ts'

const HOUR = 3_600_000
const TECHBLOG = sharedData('weblogs/techblog_2016-02.log.gz')
const SEMICOMPLETE = sharedData('weblogs/semicomplete_2015-05.log.gz')
const ASSET =
  /\.(css|m?js|map|json|wasm|png|jpe?g|gif|svgz?|webp|avif|bmp|ico|cur|woff2?|ttf|otf|eot|mp[34]|m4[av]|webm|og[gv]|wav|flac|zip|t?gz|bz2|xz|7z|rar|exe|dmg|deb|rpm|jar|iso)$/i

/** Counts of a log by hour and by event name, read without any of the server's code. */
interface Counted {
  lines: number
  byHour: Map<number, number>
  byName: Map<string, number>
  errorsByHour: Map<number, number>
}

async function count(file: string): Promise<Counted> {
  const text = gunzipSync(await readFile(file)).toString('utf8')
  const counted: Counted = { lines: 0, byHour: new Map(), byName: new Map(), errorsByHour: new Map() }
  for (const line of text.split('\n')) {
    if (line === '') continue
    counted.lines++
    const time = /\[(\d\d)\/(\w{3})\/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-]\d\d)(\d\d)\]/.exec(line) as RegExpExecArray
    const [, day, month, year, hour, minute, second, zoneHours, zoneMinutes] = time
    const at = Date.parse(`${day} ${month} ${year} ${hour}:${minute}:${second} GMT${zoneHours}${zoneMinutes}`)
    const add = <K>(counts: Map<K, number>, key: K) => counts.set(key, (counts.get(key) ?? 0) + 1)
    const name = nameOf(line.slice(time.index + time[0].length))
    add(counted.byHour, Math.floor(at / HOUR) * HOUR)
    add(counted.byName, name)
    if (name === 'error') add(counted.errorsByHour, Math.floor(at / HOUR) * HOUR)
  }
  return counted
}

/** 5xx are errors; what is got and is neither refused nor part of a page is a page. */
function nameOf(rest: string): string {
  const request = /^ "((?:[^"\\]|\\.)*)" (\d{3}) /.exec(rest) as RegExpExecArray
  const [, line = '', status] = request
  if (Number(status) >= 500) return 'error'
  const [method, target = ''] = line.split(' ')
  const path = target.split(/[?#]/)[0] as string
  const isPage =
    method === 'GET' && Number(status) < 400 && target !== '' && path !== '/robots.txt' && !ASSET.test(path)
  return isPage ? 'page_view' : 'request'
}

describe.each([
  ['techblog', TECHBLOG, 45_834],
  ['semicomplete', SEMICOMPLETE, 10_000],
] as const)('%s', (id, file, lines) => {
  const project = knownProject(id, {})
  const token = readTokenOf(project)
  let server: TestServer
  let counted: Counted
  beforeAll(async () => {
    if (!file) return
    server = await startServer({ config: { projects: [project] } })
    counted = await count(file)
  })
  afterAll(() => server?.remove())

  it.skipIf(!file)('every line is accepted or rejected, and every hour has its number', async () => {
    expect(counted.lines).toBe(lines)
    const { code, stdout } = await server.run('import', await linkInto(server.folder, file as string))
    expect(code).toBe(0)
    const [, read, accepted, rejected] = /([\d,]+) lines read, ([\d,]+) accepted, ([\d,]+) rejected/.exec(stdout) ?? []
    expect({ read, accepted, rejected }).toEqual({ read: lines.toLocaleString('en-US'), accepted: read, rejected: '0' })

    const hours = [...counted.byHour.keys()]
    const range = { from: Math.min(...hours), to: Math.max(...hours) + HOUR }
    const total = { kind: 'total', range, bots: true }
    await until(lines, async () => (await ask<TotalAnswer>(server.url, token, total)).v, 30_000)
    for (const [metric, byHour] of [
      ['events', counted.byHour],
      ['errors', counted.errorsByHour],
    ] as const) {
      const series = { kind: 'series', metric, granularity: 'hour', range, bots: true }
      const answer = await ask<SeriesAnswer>(server.url, token, series)
      const points = answer.series[0]?.points ?? []
      expect(points.map(({ v }) => v)).toEqual(points.map(({ t }) => byHour.get(t) ?? 0))
      expect(points).toHaveLength((range.to - range.from) / HOUR)
    }
    const names = { kind: 'breakdown', breakdown: 'name', range, bots: true }
    const { rows } = await ask<BreakdownAnswer>(server.url, token, names)
    expect(new Map(rows.map(({ key, v }) => [key, v]))).toEqual(counted.byName)
  })

  it.skipIf(!file)('bots are left out unless they are asked for', async () => {
    const range = { from: 0, to: 7e12 }
    const v = async (query: object) => (await ask<TotalAnswer>(server.url, token, { kind: 'total', range, ...query })).v
    const bots = await v({ bots: true, filters: { device: ['bot'] } })
    expect(bots).toBeGreaterThan(lines / 100)
    expect(await v({})).toBe(lines - bots)
  })
})
