import { expect, test } from 'vitest'
import { createRequestBudget } from './request-budget.ts'

test('a burst is answered, then so many a second', () => {
  const budget = createRequestBudget({ burst: 3, perSecond: 2 })
  expect([0, 0, 0, 0].map((now) => budget.take(now))).toEqual(['answered', 'answered', 'answered', 'refused'])
  expect(budget.take(500)).toBe('answered')
  expect(budget.take(500)).toBe('refused')
  expect([60_000, 60_000, 60_000, 60_000].filter((now) => budget.take(now) === 'answered')).toHaveLength(3)
})

test('who goes on after many refusals is a flood', () => {
  const budget = createRequestBudget({ burst: 1, mostRefused: 2 })
  expect([0, 0, 0, 0].map((now) => budget.take(now))).toEqual(['answered', 'refused', 'refused', 'flood'])
  // Also one that is answered now and then.
  const slowly = createRequestBudget({ burst: 1, perSecond: 10, mostRefused: 100 })
  const answers = Array.from({ length: 1000 }, (_, i) => slowly.take(i))
  expect(answers.filter((one) => one === 'answered').length).toBeGreaterThan(5)
  expect(answers).toContain('flood')
})
