import { NONE } from '@nowcast/protocol'
import type { ShapedContext } from '../event-schema.ts'
import { quote } from '../json-text.ts'
import type { KeyKind } from '../project-keys.ts'
import type { CountryOfIp } from './country-of-ip.ts'
import type { AgentFacts } from './device-of-agent.ts'

/** What the connection of a request tells. */
export interface Connection {
  /** Address of the client, as far as proxies are believed. */
  ip: string | undefined
  userAgent: string | undefined
  /** Country as a believed CDN header names it. */
  country: string | undefined
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
  of(context: ShapedContext | undefined, kind: KeyKind, connection: Connection): Origin | string
}

const COUNTRY = /^[A-Za-z]{2}$/

/** Country and device from the connection, or from the context where the secret key allows it. */
export function createOriginFinder(
  countryOfIp: CountryOfIp,
  deviceOfAgent: (agent: string | undefined) => AgentFacts,
): OriginFinder {
  return {
    of(context, kind, connection) {
      const secret = kind === 'secret'
      const agent = secret ? (context?.userAgent ?? undefined) : connection.userAgent
      const facts = deviceOfAgent(agent)
      let { device } = facts as { device: string }
      let country: string | undefined
      if (secret) {
        device = context?.device ?? (agent ? device : 'server')
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
