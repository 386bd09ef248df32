import { createClient } from '@nowcast/browser'
import { useState } from 'react'

const PRODUCTS = [
  { sku: 'S-1', name: 'Running shoes', category: 'shoes', price: '79.90' },
  { sku: 'S-2', name: 'Sandals', category: 'shoes', price: '24.50' },
  { sku: 'H-1', name: 'Straw hat', category: 'hats', price: '19.99' },
]
type Product = (typeof PRODUCTS)[number]

const writeKey = await (await fetch('/write-key')).text()
// Sends the page view by itself, and uncaught exceptions because of `errors`.
const nowcast = createClient({ key: writeKey, url: `${location.origin}/analytics`, errors: true })

export function Shop() {
  const [bought, setBought] = useState<Product[]>([])

  function buy(product: Product) {
    setBought([...bought, product])
    // A string keeps the price exact. `sku` is a property; the other fields Nowcast knows.
    const { sku, category, price } = product
    nowcast.track('purchase', { revenue: price, currency: 'USD', category, sku })
  }

  return (
    <main>
      <h1>Corner shop</h1>
      <ul>
        {PRODUCTS.map((product) => (
          <li key={product.sku}>
            {product.name}, ${product.price}{' '}
            <button type="button" onClick={() => buy(product)}>
              Buy {product.name}
            </button>
          </li>
        ))}
      </ul>
      <p role="status">
        {bought.length === 0 ? 'Nothing bought yet.' : `Bought: ${bought.map((p) => p.name).join(', ')}`}
      </p>
      <a href="/seller">What the seller of shoes sees</a>
    </main>
  )
}
