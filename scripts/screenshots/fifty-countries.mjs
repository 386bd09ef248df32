const COUNTRIES =
  'US DE GB FR NL CA ES IT BR IN PL SE JP AU CH AT BE DK NO FI PT IE CZ RO HU GR TR UA ZA MX AR CL CO PE NZ SG MY TH VN ID PH KR TW HK IL AE SA EG NG KE'.split(
    ' ',
  )

/** The same traffic from fifty countries, the first of which have the most visitors. */
export function fromFiftyCountries(events) {
  return events.map((event) => ({ ...event, context: { ...event.context, country: countryOf(event.anonymousId) } }))
}

function countryOf(visitor) {
  let hash = 0x811c9dc5
  for (const char of visitor) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193)
  return COUNTRIES[Math.floor(COUNTRIES.length * ((hash >>> 0) / 2 ** 32) ** 2)]
}
