import type { ContextInput } from '@nowcast/protocol'
import { type Audience, COUNTRIES, USER_AGENTS } from './audience.ts'
import { createRandom, type Random } from './random.ts'

/** People who visit the shop now and then, in all countries together. */
const VISITORS = 120_000
/** Of them with an account. */
const CUSTOMERS = 0.3
const ALL_WEIGHTS = COUNTRIES.reduce((sum, { weight }) => sum + weight, 0)

export interface Visitor {
  anonymousId: string
  userId?: string
  context: ContextInput
}

/** One of a country's visitors, some of them more often than others; always with the same browser. */
export function pickVisitor(seed: number, audience: Audience, random: Random): Visitor {
  const people = Math.ceil((VISITORS * audience.weight) / ALL_WEIGHTS)
  const number = Math.floor(people * random.next() ** 1.3)
  const own = createRandom(seed, 'visitor', audience.country, number)
  const { userAgent } = own.weighted(USER_AGENTS)
  const visitor: Visitor = {
    anonymousId: `visitor-${audience.country.toLowerCase()}-${number.toString(36)}`,
    context: { country: audience.country, locale: audience.locale, userAgent },
  }
  if (own.chance(CUSTOMERS)) visitor.userId = `customer-${audience.country.toLowerCase()}-${number}`
  return visitor
}
