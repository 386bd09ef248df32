import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatDecimal, parseDecimal } from './decimal.ts'

test('every decimal with up to four places is kept exactly', () => {
  fc.assert(
    fc.property(fc.integer({ min: -1e13, max: 1e13 }), (units) => {
      expect(parseDecimal(formatDecimal(units))).toBe(units)
    }),
  )
})

test.each([
  ['19.99', 199_900],
  [19.99, 199_900],
  [-0.0001, -1],
  ['-0', 0],
  ['+3.5', 35_000],
  ['0.10000', 1000],
  [1e9, 1e13],
])('%j is %d ten-thousandths', (value, units) => {
  expect(parseDecimal(value)).toBe(units)
})

test.each([
  '',
  ' 1',
  '1e3',
  '0x10',
  '1,5',
  '1.23456',
  'NaN',
  '.',
  '1.',
  '٣',
  1e21,
  1e-7,
  0.1 + 0.2,
  Number.NaN,
  Number.POSITIVE_INFINITY,
])('%j is no decimal', (value) => {
  expect(parseDecimal(value)).toBeUndefined()
})

test('a bigint is written with four places', () => {
  expect(formatDecimal(57_619_313_820n)).toBe('5761931.3820')
  expect(formatDecimal(-5n)).toBe('-0.0005')
  expect(formatDecimal(0)).toBe('0.0000')
})
