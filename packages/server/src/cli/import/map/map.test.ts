import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileMap } from './compile-map.ts'
import { countryCode } from './country-code.ts'
import { columnsOf, parseEventMap } from './event-map.ts'
import { multiplyDecimals } from './multiply-decimals.ts'
import { parseTimestamp } from './parse-timestamp.ts'

const at = (text: string) => Date.parse(text)

describe('multiplyDecimals', () => {
  it.each([
    [['6', '2.55'], '15.3'],
    [['-1', '0.001'], '-0.001'],
    [['80995', '2.08'], '168469.6'],
    [['3', '0.0500'], '0.15'],
    [['0', '-5.5'], '0'],
    [['+2', '1.25'], '2.5'],
    [['0.1', '0.2', '0.3'], '0.006'],
  ])('%j is %s', (factors, product) => expect(multiplyDecimals(factors)).toBe(product))

  it.each([[['0.00001']], [['0.01', '0.015', '3']], [['1e3']], [['1,5']], [['']], [['NaN']]])('refuses %j', (factors) =>
    expect(multiplyDecimals(factors)).toBeUndefined(),
  )

  it('agrees with bigint arithmetic', () => {
    fc.assert(
      fc.property(fc.bigInt(-(10n ** 9n), 10n ** 9n), fc.bigInt(-(10n ** 9n), 10n ** 9n), (a, b) => {
        const product = multiplyDecimals([String(a), `${b < 0n ? '-' : ''}${decimal(b)}`])!
        const [whole = '', places = ''] = product.split('.')
        expect(BigInt(whole.replace('-', '') + places.padEnd(3, '0'))).toBe(a * b < 0n ? -(a * b) : a * b)
        expect(product.startsWith('-')).toBe(a * b < 0n)
      }),
    )
  })

  function decimal(thousandths: bigint): string {
    const digits = String(thousandths < 0n ? -thousandths : thousandths).padStart(4, '0')
    return `${digits.slice(0, -3)}.${digits.slice(-3)}`
  }
})

describe('parseTimestamp', () => {
  it.each([
    ['2010-12-01 08:26:00', '2010-12-01T08:26:00Z'],
    ['2011-08-31 17:31:00', '2011-08-31T16:31:00Z'],
    ['12/1/2010 8:26', '2010-12-01T08:26:00Z'],
    ['7/4/2011 8:26:30 PM', '2011-07-04T19:26:30Z'],
    ['2011-07-04', '2011-07-03T23:00:00Z'],
    ['2011-07-04T10:00:00.250Z', '2011-07-04T10:00:00.250Z'],
    ['2011-07-04T10:00:00,5+05:30', '2011-07-04T04:30:00.500Z'],
    ['2011-07-04 10:00:00 UTC', '2011-07-04T10:00:00Z'],
    ['2011-07-04 10:00:00 PST', undefined],
    ['1309773600000', '2011-07-04T10:00:00Z'],
    ['1309773600', undefined],
    ['2011-02-30 10:00', undefined],
    ['2011-13-01', undefined],
    ['31/12/2011', undefined],
    ['12/1/2010 25:00', undefined],
    ['yesterday', undefined],
    ['', undefined],
  ])('%s in London', (text, expected) => {
    expect(parseTimestamp(text, { zone: 'Europe/London' })).toBe(expected && at(expected))
  })

  it.each([
    ['31/12/2011 10:00', 'D/M/Y', '2011-12-31T10:00:00Z'],
    ['31.12.2011', 'D.M.Y', '2011-12-31T00:00:00Z'],
    ['1309773600', 'epoch-s', '2011-07-04T10:00:00Z'],
    ['12', 'epoch-ms', '1970-01-01T00:00:00.012Z'],
    ['2011-12-31', 'D/M/Y', undefined],
  ] as const)('%s as %s', (text, format, expected) => {
    expect(parseTimestamp(text, { zone: 'UTC', format })).toBe(expected && at(expected))
  })

  it('takes a skipped hour with the offset before it, and a repeated one as the earlier', () => {
    const zone = 'Europe/London'
    expect(parseTimestamp('2011-03-27 01:30', { zone })).toBe(at('2011-03-27T01:30:00Z'))
    expect(parseTimestamp('2011-03-27 02:30', { zone })).toBe(at('2011-03-27T01:30:00Z'))
    expect(parseTimestamp('2011-10-30 01:30', { zone })).toBe(at('2011-10-30T00:30:00Z'))
    expect(parseTimestamp('2011-10-30 02:30', { zone })).toBe(at('2011-10-30T02:30:00Z'))
    expect(parseTimestamp('2011-10-02 02:15', { zone: 'Australia/Lord_Howe' })).toBe(at('2011-10-01T15:45:00Z'))
  })
})

describe('countryCode', () => {
  it.each([
    ['United Kingdom', 'GB'],
    ['UK', 'GB'],
    ['EIRE', 'IE'],
    ['USA', 'US'],
    ['RSA', 'ZA'],
    ['Czech Republic', 'CZ'],
    ['Hong Kong', 'HK'],
    ['United Arab Emirates', 'AE'],
    ['de', 'DE'],
    ['Türkiye', 'TR'],
    ["Côte d'Ivoire", 'CI'],
    ['St. Lucia', 'LC'],
    ['Korea, Republic of', 'KR'],
    ['Channel Islands', undefined],
    ['European Community', undefined],
    ['Unspecified', undefined],
    ['EU', undefined],
    ['', undefined],
  ])('%s', (name, code) => expect(countryCode(name)).toBe(code))
})

describe('compileMap', () => {
  const map = parseEventMap({
    name: { column: 'event', default: 'purchase' },
    timestamp: { concat: ['day', { value: ' ' }, 'time'] },
    userId: { column: 'user' },
    revenue: { multiply: ['count', 'price'] },
    country: { column: 'country' },
    os: { column: 'os' },
    category: { value: 7 },
    properties: ['invoice'],
  })
  const columns = columnsOf(map)
  const toEvent = compileMap(map, columns, 'Europe/Berlin')
  const full = { day: '2020-07-01', time: '12:00', user: 'u1', count: '3', price: '1.005', country: 'EIRE', os: 'iOS' }
  const run = (record: Record<string, unknown>) => toEvent(columns.map((column) => record[column]))

  it('takes each field from its source', () => {
    expect(run({ ...full, invoice: 'A1' })).toEqual({
      event: {
        name: 'purchase',
        timestamp: at('2020-07-01T10:00:00Z'),
        userId: 'u1',
        revenue: '3.015',
        category: '7',
        context: { os: 'iOS', country: 'IE' },
        properties: { invoice: 'A1' },
      },
    })
  })

  it.each([
    [{ user: ' ' }, 'missing_user', /column "user"/],
    [{ price: '0.00001' }, 'invalid_revenue', /"3" × "0.00001"/],
    [{ price: '' }, 'invalid_revenue', /four places/],
    [{ time: 'noon' }, 'invalid_timestamp', /"2020-07-01 noon"/],
  ])('rejects %j', (part, code, message) => {
    expect(run({ ...full, ...part })).toEqual({ rejection: { code, message: expect.stringMatching(message) } })
  })
})
