import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ShapedEvent } from '../event-schema.ts'
import { RefusedItem } from './batch-format.ts'
import { createSegmentFormat, SEGMENT_TYPES } from './segment.ts'

const batch = createSegmentFormat('batch')
const track = (event: unknown, properties: unknown, more: object = {}) =>
  batch.read({ type: 'track', userId: 'u1', event, properties, ...more })

function eventOf(item: ReturnType<typeof batch.read>): ShapedEvent {
  if (item === undefined || item instanceof RefusedItem) throw new Error(`no event: ${item?.message}`)
  return item
}
const refusal = (item: ReturnType<typeof batch.read>) =>
  item instanceof RefusedItem ? [item.code, item.message] : item

describe('track', () => {
  it('keeps names as they are, and lifts money and category', () => {
    const properties = { category: 'shoes', revenue: 12.5, currency: 'eur', sku: 'x' }
    expect(eventOf(track('Product Clicked', properties, { messageId: 'm1' }))).toMatchObject({
      ...{ id: 'm1', name: 'Product Clicked', userId: 'u1' },
      ...{ category: 'shoes', revenue: 12.5, currency: 'EUR', properties },
    })
  })
  it('Order Completed is a purchase of its revenue, else of its total', () => {
    expect(eventOf(track('Order Completed', { revenue: '20.10', total: 30 }))).toMatchObject({
      ...{ name: 'purchase', revenue: '20.10' },
    })
    expect(eventOf(track('Order Completed', { revenue: null, total: 30 }))).toMatchObject({ revenue: 30 })
    expect(eventOf(track('Order Completed', undefined))).toMatchObject({ name: 'purchase' })
  })
  it.each([[30], [-30], ['30'], ['-30'], ['+30']])('Order Refunded of %j is less revenue', (total) => {
    const event = eventOf(track('Order Refunded', { total }))
    expect([event.name, Number(event.revenue)]).toEqual(['Order Refunded', -30])
  })
  it.each(['Checkout Started', 'Order Updated', 'Order Cancelled'])('%s earns nothing', (name) => {
    expect(eventOf(track(name, { revenue: 30, total: 30 })).revenue).toBeUndefined()
  })
  it('a sum of floats means four places, and no other number is changed', () => {
    expect(eventOf(track('x', { revenue: 0.1 + 0.2 })).revenue).toBe(0.3)
    expect(eventOf(track('x', { revenue: 19.99 * 3 })).revenue).toBe(59.97)
    expect(eventOf(track('x', { revenue: 1.23456 })).revenue).toBe(1.23456)
  })
  it('takes the category that all products have', () => {
    const order = (...categories: unknown[]) =>
      eventOf(track('Order Completed', { total: 1, products: categories.map((category) => ({ category })) })).category
    expect(order('shoes', 'shoes')).toBe('shoes')
    expect(order('shoes', 'hats')).toBeUndefined()
    expect(order('shoes', undefined)).toBeUndefined()
    expect(order()).toBeUndefined()
  })
  it('an order with more products than fit keeps its money', () => {
    const products = Array.from({ length: 200 }, (_, i) => ({ sku: `sku-${i}`, name: 'x'.repeat(50), price: 1 }))
    expect(eventOf(track('Order Completed', { total: 200, order_id: 'o1', products }))).toMatchObject({
      ...{ revenue: 200, properties: { total: 200, order_id: 'o1' } },
    })
  })
})

describe('page and screen', () => {
  const context = {
    page: { url: 'https://a.example/p?q=1', referrer: 'https://b.example/', title: 'P', path: '/p' },
    campaign: { name: 'spring', source: 'mail', medium: 'e-mail' },
    locale: 'de-DE',
    ip: '2.125.160.216',
    userAgent: 'Agent',
    os: { name: 'iOS' },
    location: { country: 'GB' },
  }
  it('a page is a page view at the address of its properties, without it in them', () => {
    const properties = { url: 'https://a.example/x?secret=1', path: '/x', search: '?secret=1', title: 'X', plan: 'pro' }
    const page = eventOf(batch.read({ type: 'page', anonymousId: 'a', name: 'Home', properties, context }))
    expect(page).toMatchObject({ name: 'page_view', title: 'X', referrer: 'https://b.example/' })
    expect(page.url).toBe('https://a.example/x?utm_source=mail&utm_medium=e-mail&utm_campaign=spring')
    expect(page.properties).toEqual({ name: 'Home', plan: 'pro' })
    expect(page.context).toEqual({
      ...{ locale: 'de-DE', ip: '2.125.160.216', userAgent: 'Agent', os: 'iOS', country: 'GB' },
    })
  })
  it('a track call has the address of its context, and a screen its name as title', () => {
    const url = 'https://a.example/p?utm_source=mail&utm_medium=e-mail&utm_campaign=spring'
    expect(eventOf(track('x', { url: 'https://product.example' }, { context }))).toMatchObject({ url })
    expect(eventOf(batch.read({ type: 'screen', userId: 'u', name: 'Cart' }))).toMatchObject({
      ...{ name: 'page_view', title: 'Cart', properties: { name: 'Cart' } },
    })
  })
  it('a campaign that the address has is not changed', () => {
    const page = { url: 'https://a.example/?utm_source=own' }
    expect(eventOf(track('x', {}, { context: { ...context, page } })).url).toBe(page.url)
  })
})

describe('identities', () => {
  it('numbers are ids too, and an id too long for ours becomes the same hash each time', () => {
    const long = { messageId: 'm'.repeat(100), userId: 7, anonymousId: 8 }
    const [first, second] = [eventOf(track('x', {}, long)), eventOf(track('x', {}, long))]
    expect([first.userId, first.anonymousId, first.id?.length]).toEqual(['7', '8', 43])
    expect(second.id).toBe(first.id)
    expect(eventOf(track('x', {}, { ...long, messageId: `${long.messageId}2` })).id).not.toBe(first.id)
  })
  it.each(['identify', 'group', 'alias'])('%s is taken and is no event; without anybody it is refused', (type) => {
    expect(batch.read({ type, userId: 'u1', traits: { a: 1 } })).toBeUndefined()
    expect(refusal(batch.read({ type }))).toEqual(['missing_user', expect.stringContaining(type)])
    expect(refusal(batch.read({ type, userId: {} }))).toEqual(['invalid_user', expect.stringContaining('userId')])
  })
  it('the time of sending may be missing or unreadable', () => {
    expect(batch.open({ batch: [], sentAt: '2026-01-01T00:00:00.000Z' }).sentAt).toBe(1767225600000)
    for (const sentAt of [undefined, null, 'now', {}, -1, 0]) {
      expect(batch.open({ batch: [], sentAt }).sentAt).toBeUndefined()
    }
  })
})

describe('what cannot be used', () => {
  it.each([
    [5, 'invalid_event', 'JSON object'],
    [[], 'invalid_event', 'JSON object'],
    [null, 'invalid_event', 'JSON object'],
    [{ userId: 'u' }, 'invalid_event', 'type'],
    [{ type: 'delete', userId: 'u' }, 'invalid_event', 'type'],
    [{ type: 'track', userId: 'u' }, 'invalid_name', 'event must be'],
    [{ type: 'track', userId: 'u', event: 5 }, 'invalid_name', 'event must be'],
    [{ type: 'track', userId: 'u', event: 'x', messageId: 5 }, 'invalid_id', 'messageId must be'],
    [{ type: 'track', userId: ['u'], event: 'x' }, 'invalid_user', 'userId'],
    [{ type: 'track', userId: 'u', event: 'x', timestamp: {} }, 'invalid_timestamp', 'timestamp'],
    [{ type: 'track', userId: 'u', event: 'x', properties: [] }, 'invalid_properties', 'properties'],
    [{ type: 'track', userId: 'u', event: 'x', properties: { revenue: {} } }, 'invalid_revenue', 'revenue'],
    [{ type: 'track', userId: 'u', event: 'x', properties: { revenue: 1, currency: 5 } }, 'invalid_currency', 'cur'],
    [{ type: 'page', userId: 'u', properties: 'x' }, 'invalid_properties', 'properties'],
  ])('%j is %s, and the field is named as Segment names it', (item, code, message) => {
    expect(refusal(batch.read(item))).toEqual([code, expect.stringContaining(message)])
  })
  it('whatever comes in becomes an event of the right shape, a refusal, or nothing', () => {
    const message = fc.record(
      {
        type: fc.constantFrom<unknown>(...SEGMENT_TYPES, undefined, 7),
        event: fc.anything(),
        userId: fc.anything(),
        anonymousId: fc.anything(),
        messageId: fc.anything(),
        timestamp: fc.anything(),
        properties: fc.oneof(fc.anything(), fc.record({ revenue: fc.anything(), products: fc.anything() })),
        context: fc.oneof(
          fc.anything(),
          fc.record({ page: fc.anything(), campaign: fc.anything(), os: fc.anything(), location: fc.anything() }),
        ),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(message, (item) => {
        const read = batch.read(item)
        return read === undefined || read instanceof RefusedItem || typeof read.name === 'string'
      }),
      { numRuns: 2000 },
    )
  })
})
