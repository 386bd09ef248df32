import { describe, expect, it } from 'vitest'
import { type Address, readAddress, writeAddress } from './address.ts'

const USUAL: Address = { section: 'overview', view: {}, filters: {}, steps: undefined }

describe('an-address-opens-what-was-seen', () => {
  it.each<[string, Address]>([
    ['nothing chosen', USUAL],
    ['a range and a metric', { ...USUAL, view: { metric: 'revenue', range: { last: '7d' }, compare: 'week' } }],
    ['a zoom', { ...USUAL, view: { range: { from: 1_767_225_600_000, to: 1_767_229_200_000 } } }],
    ['filters', { ...USUAL, filters: { country: ['DE', 'US'], 'properties.plan': ['a & b'] } }],
    ['a funnel', { ...USUAL, section: 'funnel', steps: [{ name: 'page_view' }, { name: 'purchase' }] }],
  ])('%s', (_, address) => {
    expect(readAddress(writeAddress(address))).toEqual(address)
  })

  it('of nonsense only what can be understood', () => {
    expect(readAddress('?view=x&metric=x&range=soon&compare=year&step=one')).toEqual(USUAL)
  })
})
