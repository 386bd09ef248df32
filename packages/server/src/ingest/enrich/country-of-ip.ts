import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { isIP } from 'node:net'
import { type CountryResponse, Reader } from 'mmdb-lib'

const BUNDLED = '@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country.mmdb'

/** The bundled database's records say it directly; MaxMind-shaped ones inside `country`. */
type CountryRecord = CountryResponse & { country_code?: string }

/** ISO 3166-1 alpha-2 of an address; undefined when it is no address or its country is unknown. */
export type CountryOfIp = (ip: string) => string | undefined

/**
 * Looks addresses up in an MMDB file; without a path in the CC0 country database that comes with Nowcast.
 * @throws Error when the file cannot be read.
 */
export function createCountryOfIp(path?: string): CountryOfIp {
  const file = path ?? createRequire(import.meta.url).resolve(BUNDLED)
  const reader = new Reader<CountryRecord>(readFileSync(file))
  return (ip) => {
    const address = plainAddress(ip)
    if (isIP(address) === 0) return undefined
    const record = reader.get(address)
    return record?.country_code ?? record?.country?.iso_code
  }
}

/** Without the wrapping of IPv4 in IPv6, in both its forms, and without a zone. */
function plainAddress(ip: string): string {
  const zone = ip.indexOf('%')
  const address = zone < 0 ? ip : ip.slice(0, zone)
  const mapped = /^(?:0{0,4}:){2,5}ffff:(.+)$/i.exec(address)?.[1]
  if (mapped === undefined) return address
  const words = /^([\da-f]{1,4}):([\da-f]{1,4})$/i.exec(mapped)
  if (!words) return mapped
  const bits = (Number.parseInt(words[1] as string, 16) * 65_536 + Number.parseInt(words[2] as string, 16)) >>> 0
  return [bits >>> 24, (bits >>> 16) & 255, (bits >>> 8) & 255, bits & 255].join('.')
}
