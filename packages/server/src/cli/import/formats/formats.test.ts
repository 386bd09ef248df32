import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createCombinedLogReader } from './combined-log.ts'
import { createNdjsonReader } from './ndjson.ts'
import { parseCombinedLog } from './parse-combined-log.ts'
import { splitCsv } from './split-csv.ts'

const HEAD = '192.0.2.1 - - [17/May/2015:10:05:03 +0200]'

describe('parseCombinedLog', () => {
  it('reads the combined format', () => {
    expect(parseCombinedLog(`${HEAD} "GET /a?b=c HTTP/1.1" 200 123 "http://r.example/" "An agent"`)).toEqual({
      client: '192.0.2.1',
      timestamp: Date.parse('2015-05-17T08:05:03Z'),
      method: 'GET',
      target: '/a?b=c',
      status: 200,
      bytes: 123,
      referrer: 'http://r.example/',
      userAgent: 'An agent',
    })
  })

  it.each([
    ['the common format', `${HEAD} "GET / HTTP/1.1" 304 -`, { status: 304, target: '/' }],
    ['an unterminated agent', `${HEAD} "GET / HTTP/1.1" 200 1 "-" "Half an`, { userAgent: 'Half an' }],
    ['escaped quotes', `${HEAD} "GET / HTTP/1.1" 200 1 "-" "An \\"agent\\" \\\\"`, { userAgent: 'An "agent" \\' }],
    ['escaped bytes', `${HEAD} "GET /\\xc3\\xa9 HTTP/1.1" 200 1`, { target: '/é' }],
    ['more fields', `${HEAD} "GET / HTTP/1.1" 200 1 "-" "Agent" "-" 0.002`, { userAgent: 'Agent' }],
    ['a virtual host', `shop.example:443 ${HEAD} "GET / HTTP/1.1" 200 1`, { origin: 'https://shop.example' }],
    ['a port', `shop.example:8080 ${HEAD} "GET / HTTP/1.1" 200 1`, { origin: 'http://shop.example:8080' }],
    [
      'a name with spaces',
      `192.0.2.1 - a b [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1`,
      { client: '192.0.2.1' },
    ],
    ['IPv6', `2001:db8::1 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1`, { client: '2001:db8::1' }],
    ['no HTTP request', `${HEAD} "\\x16\\x03\\x01" 400 0 "-" "-"`, { status: 400 }],
    ['an empty request', `${HEAD} "-" 408 -`, { status: 408 }],
    ['HTTP/0.9', `${HEAD} "GET /a b" 200 1`, { target: '/a b' }],
  ])('reads %s', (_, text, expected) => expect(parseCombinedLog(text)).toMatchObject(expected))

  it('leaves out method and target where there is no HTTP request', () => {
    expect(parseCombinedLog(`${HEAD} "-" 408 -`)).toEqual({
      client: '192.0.2.1',
      timestamp: Date.parse('2015-05-17T08:05:03Z'),
      status: 408,
    })
  })

  it.each([
    ['', /time/],
    ['nonsense', /time/],
    [`${HEAD.replace('May', 'Foo')} "GET / HTTP/1.1" 200 1`, /17\/May/],
    [`${HEAD.replace('17/May', '31/Feb')} "GET / HTTP/1.1" 200 1`, /17\/May/],
    [`${HEAD} "GET / HTTP/1.1`, /closing quote/],
    [`${HEAD} "GET / HTTP/1.1" OK 1`, /status/],
  ])('rejects %s', (text, reason) => expect(parseCombinedLog(text)).toMatch(reason))
})

describe('createCombinedLogReader', () => {
  const nameOf = (request: string, status: number) => {
    const text = `${HEAD} "${request} HTTP/1.1" ${status} 1 "-" "Agent"`
    return createCombinedLogReader('secret').read([{ line: 1, text }])[0]!.event!.name
  }

  it.each([
    ['GET /', 200, 'page_view'],
    ['GET /a.html?x=b.css', 304, 'page_view'],
    ['GET /feed.xml', 200, 'page_view'],
    ['GET /moved', 301, 'page_view'],
    ['GET /a.css?v=1', 200, 'request'],
    ['GET /IMAGE.PNG', 200, 'request'],
    ['GET /robots.txt', 200, 'request'],
    ['GET /gone', 404, 'request'],
    ['HEAD /', 200, 'request'],
    ['POST /', 200, 'request'],
    ['POST /', 502, 'error'],
    ['GET /a.png', 500, 'error'],
  ])('%s with %i is %s', (request, status, name) => expect(nameOf(request, status)).toBe(name))

  it('tells visitors apart by address and agent, and hashes them with the secret', () => {
    const read = (secret: string, agent: string) =>
      createCombinedLogReader(secret).read([{ line: 1, text: `${HEAD} "GET / HTTP/1.1" 200 1 "-" "${agent}"` }])[0]!
        .event!
    expect(read('s', 'A').anonymousId).toBe(read('s', 'A').anonymousId)
    expect(read('s', 'A').anonymousId).not.toBe(read('s', 'B').anonymousId)
    expect(read('s', 'A').anonymousId).not.toBe(read('t', 'A').anonymousId)
    expect(read('s', 'A').context).toEqual({ ip: '192.0.2.1', userAgent: 'A' })
  })
})

describe('splitCsv', () => {
  const field = fc.oneof(
    fc.string({ unit: fc.constantFrom('a', 'é', '"', ',', ';', '\n', ' ', "'"), maxLength: 6 }),
    fc.string({ maxLength: 5 }).filter((text) => !text.includes('\r')),
  )
  const quoted = (text: string) => (/[",;\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)

  it('reads what is written, as csv-parse does', () => {
    fc.assert(
      fc.property(fc.array(field, { minLength: 2, maxLength: 6 }), fc.constantFrom(',', ';'), (fields, delimiter) => {
        const text = fields.map(quoted).join(delimiter)
        expect(splitCsv(text, delimiter)).toEqual(fields)
        expect(parse(text, { delimiter, record_delimiter: '\r\n' })[0]).toEqual(fields)
      }),
    )
  })

  it.each([
    ['a,"b', undefined],
    ['a,5" pipe,c', ['a', '5" pipe', 'c']],
    ['"a"b",c', ['a"b', 'c']],
    ['"",""', ['', '']],
    ['a,', ['a', '']],
    ['"a",', ['a', '']],
    ['', ['']],
  ])('%s', (text, fields) => expect(splitCsv(text, ',')).toEqual(fields))
})

describe('createNdjsonReader', () => {
  const exported = {
    ...{ id: 'e1', name: 'click', timestamp: '2026-01-02T03:04:05.678Z', userId: '', anonymousId: '', sessionId: '' },
    ...{ url: '', referrer: '', title: '', category: '(none)', revenue: '', currency: '', country: '(none)' },
    ...{ device: 'desktop', browser: 'Firefox', os: '', locale: '', path: '', referrerHost: '', utmSource: '' },
    ...{ receivedAt: '2026-01-02T03:04:06.000Z', revenueInProjectCurrency: '0.0000', properties: '{"a":1}' },
  }
  const read = (line: object) =>
    createNdjsonReader(undefined, 'UTC').read([{ line: 1, text: JSON.stringify(line) }] as never)[0]

  it('reads what an export wrote; the events of deleted users are those of one', () => {
    expect(read(exported)?.event).toEqual({
      ...{ id: 'e1', name: 'click', timestamp: Date.UTC(2026, 0, 2, 3, 4, 5, 678), category: '(none)' },
      ...{ anonymousId: '(deleted)', context: { device: 'desktop', browser: 'Firefox' }, properties: { a: 1 } },
    })
    expect(read({ ...exported, userId: 'u' })?.event).not.toHaveProperty('anonymousId')
  })

  it('leaves it to the server to refuse properties that an export did not write', () => {
    expect(read({ ...exported, properties: '{"a":' })?.event?.properties).toBe('{"a":')
    expect(read({ name: 'click', userId: 'u', properties: '{}' })?.event).toEqual({
      ...{ name: 'click', userId: 'u', properties: '{}' },
    })
  })
})
