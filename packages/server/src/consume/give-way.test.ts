import { expect, test } from 'vitest'
import { giveWay } from './give-way.ts'

test('a loop of readings that resolve at once holds up no timer', async () => {
  let turns = 0
  const timer = setInterval(() => turns++, 1)
  const end = performance.now() + 100
  while (performance.now() < end) await giveWay()
  clearInterval(timer)
  expect(turns).toBeGreaterThan(2)
})
