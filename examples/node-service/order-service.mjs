// A service that takes orders, and reports each order and each error with @nowcast/node.
import { Hono } from 'hono'

const STOCK = new Map([
  ['S-1', { category: 'shoes', cents: 7990, left: 100 }],
  ['H-1', { category: 'hats', cents: 1999, left: 0 }],
])

/** @param {import('@nowcast/node').Client} nowcast */
export function createOrderService(nowcast) {
  const app = new Hono()

  app.post('/orders', async (context) => {
    const { userId, sku, quantity = 1 } = (await context.req.json().catch(() => null)) ?? {}
    if (typeof userId !== 'string' || !Number.isInteger(quantity) || quantity < 1)
      return context.json({ error: 'An order has a userId, a sku and a quantity.' }, 400)
    const product = STOCK.get(sku)
    if (!product) return context.json({ error: `There is no ${sku}.` }, 404)
    context.set('userId', userId)
    if (product.left < quantity) throw new Error(`${sku} is sold out`)
    product.left -= quantity
    // Counted in cents and sent as a string: money is never a float.
    const revenue = inUnits(product.cents * quantity)
    nowcast.track('purchase', { userId, revenue, currency: 'USD', category: product.category, sku, quantity })
    return context.json({ sku, quantity, revenue }, 201)
  })

  app.onError((error, context) => {
    const userId = context.get('userId') ?? 'unknown'
    nowcast.track('error', { userId, message: error.message, path: context.req.path })
    return context.json({ error: error.message }, 500)
  })
  return app
}

const inUnits = (cents) => `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`
