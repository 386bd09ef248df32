import { expect, test } from 'vitest'
import type { ProjectWindows } from '../window/window-cube.ts'
import { createFirstEvents, firstEventOf } from './first-events.ts'

const windows = { minutes: new Map([[500, {}]]) } as unknown as ProjectWindows

test('what the archive has said is kept while it is away, and asked again soon', async () => {
  let now = 0
  let answer: () => Promise<number | undefined> = () => Promise.reject(new Error('away'))
  const firstEvents = createFirstEvents({ firstEventAt: () => answer() }, { now: () => now })
  expect(await firstEvents.of('shop')).toMatchObject({ at: undefined, wasHeard: false })
  answer = async () => 100
  now = 5001
  expect(await firstEvents.of('shop')).toMatchObject({ at: 100, wasHeard: true })
  answer = () => Promise.reject(new Error('away'))
  now = 70_000
  expect(await firstEvents.of('shop')).toMatchObject({ at: 100, wasHeard: true })
})

test('events begin where the archive or what is live says, whichever is earlier', () => {
  expect(firstEventOf({ at: 100, wasHeard: true }, windows)).toBe(100)
  expect(firstEventOf({ at: 900, wasHeard: true }, windows)).toBe(500)
  expect(firstEventOf({ at: undefined, wasHeard: true }, windows)).toBe(500)
  expect(firstEventOf({ at: undefined, wasHeard: true }, undefined)).toBeUndefined()
})
