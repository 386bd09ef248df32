import fc from 'fast-check'
import { expect, test } from 'vitest'
import { assignPartitions } from './assign-partitions.ts'

const claimsOf = (owned: number[][]) => owned.map((partitions, i) => ({ member: `m${i}`, owned: partitions }))

test('every partition has exactly one owner, and no two shares differ by more than one', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.array(fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 20 }), { minLength: 1, maxLength: 8 }),
      (partitions, owned) => {
        const shares = [...assignPartitions(partitions, claimsOf(owned)).values()]
        expect(shares.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: partitions }, (_, p) => p))
        const sizes = shares.map((share) => share.length)
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
      },
    ),
  )
})

test('nobody loses a partition that it may keep', () => {
  expect([...assignPartitions(4, claimsOf([[0, 1, 2, 3], []]))]).toEqual([
    ['m0', [0, 1]],
    ['m1', [2, 3]],
  ])
  expect([
    ...assignPartitions(
      5,
      claimsOf([
        [4, 3],
        [0, 1],
      ]),
    ),
  ]).toEqual([
    ['m0', [2, 3, 4]],
    ['m1', [0, 1]],
  ])
  expect(assignPartitions(6, claimsOf([[0, 5], [1, 2], [3]]))).toEqual(
    new Map([
      ['m0', [0, 5]],
      ['m1', [1, 2]],
      ['m2', [3, 4]],
    ]),
  )
})
