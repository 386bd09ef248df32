import { expect, test } from 'vitest'
import { expectedBand, judge } from './anomaly.ts'

const judged = (baseline: number[], value: number, sigma = 2) => {
  const band = expectedBand(baseline, sigma)
  return band && judge(value, band, sigma)
}

test('the band is the mean and the sample standard deviation of the baseline', () => {
  const band = expectedBand([2, 4, 4, 4, 5, 5, 7, 9, 1, 9], 2)
  expect(band?.expected).toBe(5)
  expect(band?.deviation).toBeCloseTo(Math.sqrt(64 / 9), 12)
  expect(band?.high).toBeCloseTo(5 + 2 * Math.sqrt(64 / 9), 12)
})

test('fewer than ten buckets are no baseline', () => {
  expect(judged([1, 2, 3, 4, 5, 6, 7, 8, 9], 1000)).toBeUndefined()
})

test('only beyond sigma deviations a value is an anomaly, in either direction', () => {
  const baseline = [10, 12, 8, 10, 12, 8, 10, 12, 8, 10]
  expect(judged(baseline, 12)).toBeUndefined()
  expect(judged(baseline, 15)?.score).toBeGreaterThan(2)
  expect(judged(baseline, 5)?.score).toBeLessThan(-2)
  expect(judged(baseline, 15, 4)).toBeUndefined()
})

test('any change from a flat baseline is an anomaly with a score of 99', () => {
  const flat = new Array(20).fill(7)
  expect(judged(flat, 7)).toBeUndefined()
  expect(judged(flat, 8)?.score).toBe(99)
  expect(judged(flat, 6)?.score).toBe(-99)
})

test('a score is at most 99', () => {
  expect(judged([1, 1, 1, 1, 1, 1, 1, 1, 1, 1.0001], 1e9)?.score).toBe(99)
})

test('values that are equal are flat, whatever their sum rounds to', () => {
  const flat = new Array(60).fill(0.1)
  expect(expectedBand(flat, 0.5)).toEqual({ expected: 0.1, deviation: 0, low: 0.1, high: 0.1 })
  expect(judged(flat, 0.1, 0.5)).toBeUndefined()
})

test('three earlier weeks are a seasonal baseline, two are none', () => {
  expect(expectedBand([4, 6], 2, 'seasonal')).toBeUndefined()
  expect(expectedBand([4, 5, 6], 2, 'seasonal')).toMatchObject({ expected: 5, deviation: 1, low: 3, high: 7 })
})
