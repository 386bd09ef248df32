import { LIMITS } from '@nowcast/protocol'
import { isObject, type JsonObject } from './segment-json.ts'

const COMPLETED = 'Order Completed'
const REFUNDED = 'Order Refunded'
/** Events of Segment's e-commerce specification that repeat an order's money before, or beside, its completion. */
const NOT_YET_PAID = new Set(['Checkout Started', 'Order Updated', 'Order Cancelled'])
/** What a float may differ from the four places that were meant. */
const FLOAT_NOISE = 1e-9

/** Name, money, category and properties of a track call. */
export function trackFields(event: unknown, properties: unknown): JsonObject {
  if (!isObject(properties)) return { name: event === COMPLETED ? 'purchase' : event, properties }
  const isOrder = event === COMPLETED || event === REFUNDED
  const fields: JsonObject = { name: event === COMPLETED ? 'purchase' : event, properties: fitting(properties) }
  const category = properties.category ?? (isOrder ? commonCategory(properties.products) : undefined)
  if (typeof category === 'string') fields.category = category
  if (NOT_YET_PAID.has(event as string)) return fields
  const money = present(properties.revenue) ?? (isOrder ? present(properties.total) : undefined)
  if (money === undefined) return fields
  fields.revenue = event === REFUNDED ? negative(plain(money)) : plain(money)
  const { currency } = properties
  if (currency) fields.currency = typeof currency === 'string' ? currency.toUpperCase() : currency
  return fields
}

/** A page's properties without its address, which may hold a query, and with the name it was called by. */
export function withoutPageFields(message: JsonObject, properties: unknown, isPage: boolean): unknown {
  if (properties !== undefined && !isObject(properties)) return properties
  const { name, category } = message
  const kept: JsonObject = {
    ...(typeof name === 'string' && { name }),
    ...(typeof category === 'string' && { category }),
    ...properties,
  }
  if (isPage) for (const field of ['url', 'referrer', 'title', 'path', 'search']) delete kept[field]
  return Object.keys(kept).length > 0 ? kept : undefined
}

/** The category of all products; an order of several has none, since its money cannot be divided. */
function commonCategory(products: unknown): string | undefined {
  if (!Array.isArray(products)) return undefined
  const categories = new Set(products.map((product) => (isObject(product) ? product.category : undefined)))
  const [category] = categories
  return categories.size === 1 && typeof category === 'string' ? category : undefined
}

/** Long lists of products are left out rather than the order refused. */
function fitting(properties: JsonObject): JsonObject {
  if (!Array.isArray(properties.products) || properties.products.length < 8) return properties
  if (Buffer.byteLength(JSON.stringify(properties)) <= LIMITS.propertiesBytes) return properties
  const { products: _, ...rest } = properties
  return rest
}

function present(value: unknown): unknown {
  return value === null || value === '' ? undefined : value
}

/** A sum of floats as the four places that it means; anything else as it is. */
function plain(value: unknown): unknown {
  if (typeof value !== 'number' || !Number.isFinite(value)) return value
  const rounded = Number(value.toFixed(4))
  return Math.abs(value - rounded) <= Math.abs(value) * FLOAT_NOISE ? rounded : value
}

function negative(value: unknown): unknown {
  if (typeof value === 'number') return -Math.abs(value)
  return typeof value === 'string' ? `-${value.replace(/^[+-]/, '')}` : value
}
