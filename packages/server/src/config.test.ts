import { describe, expect, test } from 'vitest'
import { toConfig } from './config.ts'

const DAY_MS = 24 * 3_600_000

test.each([
  [{ rollupRetentionMonths: 12 }, 'rollupRetentionMonths: hours stay when events go'],
  [{ rawRetentionMonths: 3, rollupRetentionMonths: 2 }, 'rollupRetentionMonths: must be at least rawRetentionMonths'],
  [{ rawRetentionMonths: 0 }, 'rawRetentionMonths: '],
  [{ rawRetentionMonths: 'soon' }, 'rawRetentionMonths: '],
  [
    { rawRetentionMonths: 1, logRetentionMs: 28 * DAY_MS },
    'rawRetentionMonths: the log keeps events for 28 days (logRetentionMs)',
  ],
  [
    { rawRetentionMonths: 1, kafka: { brokers: ['a:1'], retentionMs: 40 * DAY_MS } },
    'rawRetentionMonths: the log keeps events for 40 days (kafka.retentionMs), so they would outlive it: keep at least 2 months',
  ],
])('a retention that cannot be kept is refused by its field: %j', (options, message) => {
  expect(() => toConfig(options)).toThrow(message)
})

test('events are kept for ever unless a retention is set, and rollups at least as long as they', () => {
  expect(toConfig({})).not.toHaveProperty('rawRetentionMonths')
  expect(toConfig({ rawRetentionMonths: '3', rollupRetentionMonths: 3 })).toMatchObject({
    rawRetentionMonths: 3,
    rollupRetentionMonths: 3,
  })
})

describe('origins that may send and read', () => {
  const originsOf = (allowedOrigins: string[]) =>
    toConfig({
      projects: [
        {
          ...{ id: 'shop', writeKey: 'nc_pub_12345678', secretKey: 'nc_sec_12345678', readSecret: 'x'.repeat(32) },
          allowedOrigins,
        },
      ],
    }).projects[0]?.allowedOrigins

  test('are those that browsers name', () => {
    expect(
      originsOf([
        'https://Shop.example/',
        'https://shop.example:443',
        'http://localhost:3000',
        'capacitor://localhost',
      ]),
    ).toEqual(['https://shop.example', 'https://shop.example', 'http://localhost:3000', 'capacitor://localhost'])
  })

  test.each(['shop.example', 'https://shop.example/cart', 'https://*.shop.example', '*'])('%s is none', (origin) => {
    expect(() => originsOf([origin])).toThrow('projects.0.allowedOrigins.0: must be an origin')
  })
})

test.each([
  [{ druid: 'http://druid:8888' }, 'druid: it reads events from Kafka: kafka is not set'],
  [
    { druid: 'http://druid:8888', kafka: 'a:1', clickhouse: 'http://clickhouse:8123' },
    'druid: history is kept in one place: set druid or clickhouse, not both',
  ],
  [
    { druid: 'http://druid:8888', kafka: 'a:1', rawRetentionMonths: 3 },
    'rawRetentionMonths: Druid deletes what is old',
  ],
  [{ druid: 'http://druid:8888', kafka: 'a:1', roles: 'query' }, 'they share kafka, redis and druid: redis is not set'],
])('history in Druid that cannot be is refused by its field: %j', (options, message) => {
  expect(() => toConfig(options)).toThrow(message)
})
