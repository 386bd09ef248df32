import { NONE } from '@nowcast/protocol'
import type { ShapedContext } from '../event-schema.ts'
import { quote } from '../json-text.ts'
import type { KeyKind } from '../project-keys.ts'
import type { ClientHints } from './client-hints.ts'
import type { CountryOfIp } from './country-of-ip.ts'
import type { DeviceOfAgent } from './device-of-agent.ts'

/** What the connection of a request tells. */
export interface Connection {
  /** Address of the client, as far as proxies are believed. */
  ip: string | undefined
  userAgent: string | undefined
  /** Country as a believed CDN header names it. */
  country: string | undefined
  /** What its browser says of itself beside the User-Agent. */
  hints: ClientHints | undefined
}

/** Where an event comes from, and the same as fields of its row. */
export interface Origin {
  country: string
  device: string
  /** JSON fields `country` … `locale`, each after a comma. */
  fields: string
}

export interface OriginFinder {
  /** The origin of events with that context, or a sentence that says what is wrong with the context. */
  of(context: ShapedContext | undefined, sender: Sender): Origin | string
}

/** Who sent an event, and how. */
export interface Sender {
  kind: KeyKind
  connection: Connection
  /** Whether programs may send for the browsers and apps of others, whatever their key. */
  isRelay: boolean
}

const BROWSER = /^(?:Mozilla|Opera)\//
const COUNTRY = /^[A-Za-z]{2}$/

/** Country and device from the connection, or from the context where the key or the format allows it. */
export function createOriginFinder(countryOfIp: CountryOfIp, deviceOfAgent: DeviceOfAgent): OriginFinder {
  return {
    of(context, { kind, connection, isRelay }) {
      const secret = kind === 'secret'
      let agent = connection.userAgent
      let { hints } = connection
      if (secret || isRelay) {
        // A relay's own agent is a library's name, unless it is the browser itself.
        agent = context?.userAgent ?? (!secret && agent && BROWSER.test(agent) ? agent : undefined)
        const data = context?.userAgentData
        if (data) hints = { ...data, brands: data.brands.map(({ brand }) => brand) }
        else if (secret) hints = undefined
      }
      const facts = deviceOfAgent(agent, hints)
      let { device } = facts as { device: string }
      if (secret || isRelay) device = context?.device ?? (agent ? device : 'server')
      let country: string | undefined
      if (secret) {
        country = context?.country ?? undefined
        if (country !== undefined && country !== '' && country !== NONE && !COUNTRY.test(country)) {
          return 'context.country must be an ISO 3166-1 alpha-2 code, like DE'
        }
        if (!country && context?.ip) country = countryOfIp(context.ip)
      } else {
        country = connection.country ?? (connection.ip ? countryOfIp(connection.ip) : undefined)
      }
      country = country && country !== NONE ? country.toUpperCase() : NONE
      const browser = context?.browser || facts.browser
      const os = context?.os || facts.os
      let fields = `,"country":"${country}","device":"${device}"`
      if (browser) fields += `,"browser":${quote(browser)}`
      if (os) fields += `,"os":${quote(os)}`
      if (context?.locale) fields += `,"locale":${quote(context.locale)}`
      return { country, device, fields }
    },
  }
}
