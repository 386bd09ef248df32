import { expect, test } from 'vitest'
import { toEvent } from './to-event.ts'

test('known fields are lifted over the defaults, the rest is properties', () => {
  const fields = { revenue: '19.99', category: 'shoes', userId: 'u2', sku: 'A-1', gift: null, title: undefined }
  expect(toEvent('purchase', { id: 'e1', userId: 'u1', title: 'Shop' }, fields)).toEqual({
    id: 'e1',
    name: 'purchase',
    userId: 'u2',
    title: 'Shop',
    revenue: '19.99',
    category: 'shoes',
    properties: { sku: 'A-1', gift: null },
  })
})

test('an event without properties has none', () => {
  expect(toEvent('login', { id: 'e1' }, {})).toEqual({ id: 'e1', name: 'login' })
})
