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
    const address = ip.startsWith('::ffff:') ? ip.slice(7) : ip
    if (isIP(address) === 0) return undefined
    const record = reader.get(address)
    return record?.country_code ?? record?.country?.iso_code
  }
}
