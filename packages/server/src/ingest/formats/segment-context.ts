import { FIELD_LIMITS } from '@nowcast/protocol'
import { deviceClass } from '../enrich/device-class.ts'
import { isUserAgentData, type ShapedContext } from '../event-schema.ts'
import { isObject, type JsonObject, textUpTo } from './segment-json.ts'

const COUNTRY = /^[A-Za-z]{2}$/
const CAMPAIGN = { source: 'utm_source', medium: 'utm_medium', name: 'utm_campaign' } as const
const CAMPAIGN_LENGTH = 256

/** What of Segment's context says where an event comes from. It is free in form: what has another type is left out. */
export function toContext(context: unknown): ShapedContext | undefined {
  if (!isObject(context)) return undefined
  const { location, os } = context
  const country = isObject(location) && typeof location.country === 'string' ? location.country : undefined
  const found: ShapedContext = {}
  const ip = typeof context.ip === 'string' && context.ip.length <= FIELD_LIMITS.ip ? context.ip : undefined
  const userAgent = textUpTo(context.userAgent, FIELD_LIMITS.userAgent)
  const locale = textUpTo(context.locale, FIELD_LIMITS.locale)
  const system = isObject(os) ? textUpTo(os.name, FIELD_LIMITS.os) : undefined
  if (ip) found.ip = ip
  if (userAgent) found.userAgent = userAgent
  if (locale) found.locale = locale
  if (system) found.os = system
  if (isUserAgentData(context.userAgentData)) found.userAgentData = context.userAgentData
  if (system && !userAgent) {
    // An app names its system, where a page has an agent.
    const device = deviceClass(system)
    if (device === 'mobile' || device === 'tablet' || device === 'tv') found.device = device
  }
  if (country && COUNTRY.test(country)) found.country = country
  return Object.keys(found).length > 0 ? found : undefined
}

interface PageFields {
  url?: string
  referrer?: string
  title?: string
}

/** Address, referrer and title: of a page call's properties, else of the context. */
export function toPageFields(context: unknown, properties: unknown): PageFields {
  const surroundings = isObject(context) ? context : {}
  const page = isObject(surroundings.page) ? surroundings.page : {}
  const own = isObject(properties) ? properties : {}
  const came = isObject(surroundings.referrer) ? surroundings.referrer.url : undefined
  const field = (name: 'url' | 'referrer' | 'title') =>
    textUpTo(own[name], FIELD_LIMITS[name]) ?? textUpTo(page[name], FIELD_LIMITS[name])
  const path = textUpTo(own.path, FIELD_LIMITS.url) ?? textUpTo(page.path, FIELD_LIMITS.url)
  const url = withCampaign(field('url') ?? path ?? '', surroundings.campaign)
  const referrer = field('referrer') ?? textUpTo(came, FIELD_LIMITS.referrer)
  const title = field('title')
  return { ...(url && { url }), ...(referrer && { referrer }), ...(title && { title }) }
}

/** Campaigns are read from addresses: one that an address does not show is written into it. */
function withCampaign(url: string, campaign: unknown): string {
  if (!isObject(campaign) || url.includes('utm_')) return url
  const query = campaignQuery(campaign)
  if (query === '') return url
  const base = url.split(/[?#]/, 1)[0] as string
  return `${base.slice(0, FIELD_LIMITS.url - query.length - 1)}?${query}`
}

function campaignQuery(campaign: JsonObject): string {
  const query = new URLSearchParams()
  for (const [field, parameter] of Object.entries(CAMPAIGN)) {
    const value = textUpTo(campaign[field], CAMPAIGN_LENGTH)
    if (value) query.set(parameter, value)
  }
  const text = query.toString()
  return text.length < FIELD_LIMITS.url ? text : ''
}
