import type { EventInput } from '@nowcast/protocol'
import { SOURCES } from './audience.ts'
import { CATALOGUE, formatCents, type Product } from './catalogue.ts'
import type { Incident } from './incidents.ts'
import type { Random } from './random.ts'
import type { Visitor } from './visitor.ts'

const SHOP = 'https://shop.example'
const SHOP_NAME = 'Fjord & Field'
/** No event of a session is later than this after its start, so that a span can be made without all that went before. */
export const SESSION_MS = 40 * 60_000
/** Between two steps, on average. */
const DWELL_MS = 24_000
const SEARCHES = ['rain jacket', 'gift', 'boots', 'tent', 'merino', 'black', 'size 42', 'sale', 'watch strap']
const ERRORS = [
  "TypeError: Cannot read properties of undefined (reading 'price')",
  'ChunkLoadError: Loading chunk 7 failed',
  'NetworkError: Failed to fetch /api/cart',
  'ResizeObserver loop completed with undelivered notifications',
]

/** How often a visitor goes on. */
const CHANCES = {
  anotherStep: 0.79,
  error: 0.006,
  errorInBurst: 0.35,
  addToCart: 0.24,
  checkout: 0.52,
  purchase: 0.74,
  refund: 0.05,
}

export interface SessionOptions {
  /** Begins the ids of its events. */
  id: string
  startMs: number
  visitor: Visitor
  random: Random
  incidents: Incident[]
  /** The campaign that brought the visitor. */
  campaign?: Incident
}

/** One visit: page views, products, perhaps a cart, a checkout, a purchase, a refund. Times strictly increase. */
export function walkSession({ id, startMs, visitor, random, incidents, campaign }: SessionOptions): EventInput[] {
  const events: EventInput[] = []
  let at = Math.floor(startMs)

  function emit(name: string, url: string, fields: Partial<EventInput> = {}): void {
    if (at - startMs < SESSION_MS) {
      const { anonymousId, userId, context } = visitor
      const step = events.length
      events.push({
        id: `${id}-${step}`,
        name,
        timestamp: at,
        anonymousId,
        userId,
        sessionId: id,
        url,
        context,
        ...fields,
      })
    }
    at++
  }

  function wait(meanMs = DWELL_MS): void {
    at += 800 + Math.floor(random.exponential(meanMs))
  }

  function isDuring(kind: Incident['kind']): boolean {
    return incidents.some((incident) => incident.kind === kind && incident.fromMs <= at && at < incident.toMs)
  }

  function view(path: string, title: string, fields: Partial<EventInput> = {}): void {
    emit('page_view', SHOP + path, { title: `${title} – ${SHOP_NAME}`, ...fields })
    if (random.chance(isDuring('error_burst') ? CHANCES.errorInBurst : CHANCES.error)) {
      emit('error', SHOP + path, { properties: { message: random.pick(ERRORS) } })
    }
  }

  function viewProduct(query = '', fields: Partial<EventInput> = {}): Product {
    const shelf = campaign
      ? CATALOGUE.find(({ category }) => category === campaign.category)!
      : random.weighted(CATALOGUE)
    const product = random.pick(shelf.products)
    const path = `/p/${product.sku.toLowerCase()}`
    view(path + query, product.name, { category: product.category, ...fields })
    emit('product_viewed', SHOP + path, { category: product.category, properties: propertiesOf(product) })
    return product
  }

  function land(): Product | undefined {
    const source = random.weighted(SOURCES)
    const utm = campaign
      ? `utm_source=instagram&utm_medium=paid_social&utm_campaign=${campaign.category}-drop`
      : source.campaign
    const query = utm ? `?${utm}` : ''
    const referrer = campaign ? 'https://www.instagram.com/' : source.referrer
    if (campaign || random.chance(0.25)) return viewProduct(query, { referrer })
    const { category } = random.weighted(CATALOGUE)
    if (random.chance(0.4)) view(`/c/${category}${query}`, category, { category, referrer })
    else view(`/${query}`, 'Home', { referrer })
    return undefined
  }

  function step(): Product | undefined {
    const what = random.next()
    if (what < 0.42) return viewProduct()
    const { category } = random.weighted(CATALOGUE)
    if (what < 0.74) view(`/c/${category}`, category, { category })
    else if (what < 0.84)
      emit('click', `${SHOP}/`, { properties: { target: random.pick(['banner', 'menu', 'size-guide']) } })
    else if (what < 0.93) emit('search', `${SHOP}/search`, { properties: { query: random.pick(SEARCHES) } })
    else if (what < 0.95) emit('newsletter_signup', `${SHOP}/newsletter`)
    else view('/help', 'Help')
    return undefined
  }

  function buy(product: Product): void {
    const quantity = random.chance(0.82) ? 1 : 2 + random.below(3)
    const order = { ...propertiesOf(product), quantity }
    const { category } = product
    emit('add_to_cart', `${SHOP}/p/${product.sku.toLowerCase()}`, { category, properties: order })
    wait()
    if (!random.chance(CHANCES.checkout)) return
    view('/checkout', 'Checkout', { category })
    emit('checkout', `${SHOP}/checkout`, { category, properties: order })
    wait(45_000)
    if (isDuring('checkout_outage')) {
      for (let tries = 1 + random.below(3); tries > 0; tries--) {
        emit('error', `${SHOP}/checkout`, { category, properties: { message: 'PaymentError: provider timed out' } })
        wait(9000)
      }
      return
    }
    if (!random.chance(CHANCES.purchase)) return
    const cents = product.price * quantity
    const properties = { ...order, order: `O-${id}` }
    emit('purchase', `${SHOP}/checkout`, { category, revenue: formatCents(cents), properties })
    view('/thanks', 'Thank you')
    if (!random.chance(CHANCES.refund)) return
    at += 180_000 + random.below(900_000)
    emit('refund', `${SHOP}/orders`, { category, revenue: formatCents(-cents), properties })
  }

  let favourite = land()
  while (random.chance(CHANCES.anotherStep) && events.length < 40) {
    wait()
    favourite = step() ?? favourite
  }
  if (favourite && random.chance(CHANCES.addToCart)) {
    wait()
    buy(favourite)
  }
  return events
}

function propertiesOf({ sku, name, price }: Product): Record<string, unknown> {
  return { sku, product: name, price: formatCents(price) }
}
