/** Where the parts of an id that change from request to request stand: 8 hex digits after this marker. */
const MARK = '0190beef-'
const HEX = Buffer.from('0123456789abcdef')

const COUNTRIES = ['US', 'DE', 'GB', 'FR', 'JP', 'BR', 'IN', 'CA']
const CATEGORIES = ['shoes', 'jackets', 'hats', 'bags', 'socks', 'watches']
const AGENTS = ['Berlin', 'London', 'Tokyo', 'Paris']

/**
 * Bodies of `POST /v1/events` as a shop's pages send them: about 500 bytes an event, ids that can be made new in place.
 *
 * @param {{ batches: number, eventsPerBatch: number, at: number, categories?: number }} options `at` is the time of the events, epoch ms
 * @returns {ShopBatch[]}
 */
export function shopBatches({ batches, eventsPerBatch, at, categories = CATEGORIES.length }) {
  let seed = 1
  const random = (below) => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff
    return (seed >>> 8) % below
  }
  return Array.from({ length: batches }, (_, batch) => {
    const events = Array.from({ length: eventsPerBatch }, (_, i) =>
      shopEvent(random, at, batch * eventsPerBatch + i, categories),
    )
    return new ShopBatch(Buffer.from(`{"sentAt":${at},"events":[${events.map((e) => JSON.stringify(e)).join(',')}]}`))
  })
}

function shopEvent(random, at, serial, categories) {
  const user = random(50_000)
  const product = random(400)
  const kind = random(100)
  const name = kind < 70 ? 'page_view' : kind < 92 ? 'click' : kind < 98 ? 'purchase' : 'error'
  const category =
    categories === CATEGORIES.length ? CATEGORIES[product % CATEGORIES.length] : `category-${random(categories)}`
  return {
    id: `${MARK}0000-7${hex(serial, 3)}-8${hex(random(4096), 3)}-00000000${hex(serial, 4)}`,
    name,
    timestamp: at - random(30_000),
    anonymousId: `anon-${hex(user * 7919, 8)}-4b1c-9d2e`,
    ...(user % 3 === 0 && { userId: `user-${user}@shop.example` }),
    sessionId: `session-${hex(user * 104729, 8)}-${user % 7}`,
    url: `https://www.shop.example/${category}/product-${product}${random(8) === 0 ? '?utm_source=newsletter&utm_medium=email' : ''}`,
    referrer: `https://www.shop.example/${category}?page=${1 + (product % 9)}`,
    title: `Product ${product}: the best ${category} for autumn | Shop`,
    category,
    ...(name === 'purchase' && { revenue: `${5 + random(200)}.${10 + random(89)}`, currency: 'USD' }),
    properties: {
      city: AGENTS[random(AGENTS.length)],
      market: COUNTRIES[random(COUNTRIES.length)],
      variant: product % 2 === 0 ? 'a' : 'b',
      position: random(40),
    },
  }
}

function hex(value, digits) {
  return (value >>> 0).toString(16).padStart(8, '0').slice(-digits)
}

/** One body, whose events get new ids each time it is sent. */
class ShopBatch {
  constructor(body) {
    this.body = body
    this.marks = []
    for (let at = body.indexOf(MARK); at >= 0; at = body.indexOf(MARK, at + 1)) this.marks.push(at)
    this.events = this.marks.length
  }

  /** Writes `serial` (32 bits) into every id. */
  renew(serial) {
    for (const mark of this.marks) {
      for (let digit = 0; digit < 8; digit++) this.body[mark + digit] = HEX[(serial >>> (28 - digit * 4)) & 15]
    }
  }
}
