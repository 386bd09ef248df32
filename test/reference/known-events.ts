import type { EventInput } from '@nowcast/protocol'
import type { KnownEvent } from './metric-of.ts'

/** What {@link knownEvents} are sent to. */
export const KNOWN_SHOP = {
  timezone: 'Europe/Berlin',
  currency: 'EUR',
  hotDimensions: ['tenantId', 'plan'],
  rates: { USD: '0.9' },
}

const COUNTRIES = ['US', 'DE', 'FR', 'GB', 'NL', 'IE', 'ES', 'IT', 'PL', 'AT', 'CH', 'SE', undefined]
const DEVICES = ['desktop', 'mobile', 'tablet', undefined, 'bot'] as const
const NAMES = ['page_view', 'page_view', 'click', 'purchase', 'purchase', 'error', 'signup', 'renewal']
const AMOUNTS = ['19.99', '0.0005', '1234.5678', '7', '-19.99', '0', '-0.0005', '3.145']
const CATEGORIES = ['shoes', 'hats', 'socks', undefined]
const TENANTS = ['acme', 'globex', 'initech', undefined]
/** The paths that the events' pages have. */
export const PATHS = ['/', '/cart', '/shoes/red']

export interface SentEvent {
  event: EventInput
  known: KnownEvent
}

/** The same events for the same times: every dimension, refunds, two foreign currencies, bots, old and new users. */
export function knownEvents(times: readonly number[]): SentEvent[] {
  const random = sequence(20_260_401)
  const pick = <T>(values: readonly T[]) => values[Math.floor(random() * values.length)] as T
  return times.map((t, i) => {
    // The first of a list more often than the last.
    const country = COUNTRIES[Math.floor(random() ** 2 * COUNTRIES.length)]
    const device = random() < 0.1 ? 'bot' : pick(DEVICES.slice(0, 4))
    const name = pick(NAMES)
    const category = pick(CATEGORIES)
    const tenant = pick(TENANTS)
    const plan = pick([1, true, 'pro', undefined, null])
    const color = pick(['red', 'blue', undefined])
    const path = pick(PATHS)
    const source = pick(['news', undefined])
    const userId = random() < 0.6 ? `u${Math.floor(random() * 40)}` : undefined
    const anonymousId = !userId || random() < 0.5 ? `a${Math.floor(random() * 30)}` : undefined
    const sessionId = random() < 0.8 ? `s${Math.floor(random() * 60)}` : undefined
    const hasRevenue = (name === 'purchase' && random() < 0.9) || name === 'renewal'
    const currency = hasRevenue ? pick([undefined, 'EUR', 'USD', 'JPY']) : undefined
    const amount = pick(AMOUNTS)
    const event: EventInput = {
      id: `known-${i}`,
      name,
      timestamp: t,
      ...{ userId, anonymousId, sessionId, category },
      url: `https://shop.example${path}?secret=1${source ? `&utm_source=${source}` : ''}`,
      ...(hasRevenue && { revenue: amount, currency }),
      context: { country, device, browser: pick(['Firefox', 'Chrome']) },
      properties: { tenantId: tenant, plan, color, n: i },
    }
    const none = (value: unknown) => (value === undefined || value === null ? '(none)' : String(value))
    const units = hasRevenue && currency !== 'JPY' ? inEuro(amount, currency) : undefined
    const known: KnownEvent = {
      t,
      name,
      user: userId ?? (anonymousId as string),
      session: sessionId,
      units,
      excluded: hasRevenue && currency === 'JPY' ? 'JPY' : undefined,
      dimensions: {
        name,
        country: none(country),
        device: device ?? 'server',
        category: none(category),
        tenantId: none(tenant),
        plan: none(plan),
        browser: event.context?.browser as string,
        path,
        utm_source: none(source),
        'properties.color': none(color),
      },
    }
    return { event, known }
  })
}

/** Ten-thousandths of a euro; a dollar is 0.9 of it, half away from zero. */
function inEuro(amount: string, currency: string | undefined): bigint {
  const [whole = '', places = ''] = amount.replace('-', '').split('.')
  const units = BigInt(whole + places.padEnd(4, '0'))
  const converted = currency === 'USD' ? (units * 9n + 5n) / 10n : units
  return amount.startsWith('-') ? -converted : converted
}

/** Numbers from 0 to 1, the same each time. */
export function sequence(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
