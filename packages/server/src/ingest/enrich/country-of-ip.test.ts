import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { sharedData } from '../../../test/import/shared-data.ts'
import { createCountryOfIp } from './country-of-ip.ts'

const countryOfIp = createCountryOfIp()

describe('the bundled database', () => {
  it.each([
    ['8.8.8.8', 'US'],
    ['2.125.160.216', 'GB'],
    ['2001:4860:4860::8888', 'US'],
    ['::ffff:2.125.160.216', 'GB'],
    ['::FFFF:27d:a0d8', 'GB'],
    ['::ffff:027d:a0d8', 'GB'],
    ['0:0:0:0:0:ffff:2.125.160.216', 'GB'],
    ['2001:4860:4860::8888%eth0', 'US'],
    ['10.0.0.1', undefined],
    ['fe80::1%eth0', undefined],
    ['::1', undefined],
    ['', undefined],
    ['999.1.1.1', undefined],
    ['example.com', undefined],
    ['::ffff:', undefined],
  ])('%s is in %s', (ip, country) => expect(countryOfIp(ip)).toBe(country))
})

const folder = sharedData('geo/maxmind-test') as string
describe.skipIf(!folder)('a database of one’s own', () => {
  it.each(['GeoIP2-Country-Test', 'GeoLite2-City-Test'])('%s: every network has its country', (name) => {
    const own = createCountryOfIp(`${folder}/${name}.mmdb`)
    type Content = Record<string, { country?: { iso_code?: string } }>
    const networks = (JSON.parse(readFileSync(`${folder}/${name}.json`, 'utf8')) as Content[]).flatMap(Object.entries)
    expect(networks.length).toBeGreaterThan(200)
    for (const [network, { country }] of networks) {
      const address = network.split('/')[0] as string
      expect([network, own(address)]).toEqual([network, country?.iso_code])
    }
  })
})
