import { expect, test } from 'vitest'
import { createSharedWork } from './shared-work.ts'

function counted() {
  let begun = 0
  let stopped = 0
  let end: (value: string) => void = () => {}
  const work = (signal: AbortSignal) => {
    begun++
    return new Promise<string>((resolve, reject) => {
      end = resolve
      signal.addEventListener('abort', () => {
        stopped++
        reject(signal.reason)
      })
    })
  }
  return { work, end: (value: string) => end(value), counts: () => ({ begun, stopped }) }
}

test('equal work is done once; other work and later work anew', async () => {
  const shared = createSharedWork<string>()
  const { work, end, counts } = counted()
  const both = [shared.run('a', work), shared.run('a', work)]
  end('x')
  expect(await Promise.all(both)).toEqual(['x', 'x'])
  const later = shared.run('a', work)
  end('y')
  expect(await later).toBe('y')
  const other = shared.run('b', async () => 'z')
  expect(await other).toBe('z')
  expect(counts()).toEqual({ begun: 2, stopped: 0 })
})

test('work goes on while one still asks, and stops when all have gone', async () => {
  const shared = createSharedWork<string>()
  const { work, end, counts } = counted()
  const [first, second, third] = [new AbortController(), new AbortController(), new AbortController()]
  const leaving = shared.run('a', work, first.signal)
  const staying = shared.run('a', work, second.signal)
  first.abort()
  await expect(leaving).rejects.toMatchObject({ name: 'AbortError' })
  expect(counts()).toEqual({ begun: 1, stopped: 0 })
  end('x')
  expect(await staying).toBe('x')
  const alone = shared.run('a', work, third.signal)
  third.abort()
  await expect(alone).rejects.toMatchObject({ name: 'AbortError' })
  expect(counts()).toEqual({ begun: 2, stopped: 1 })
  const anew = shared.run('a', work)
  end('y')
  expect(await anew).toBe('y')
})

test('a failure is everybody’s, and the next one tries again', async () => {
  const shared = createSharedWork<string>()
  const fail = () => Promise.reject(new Error('broken'))
  const both = [shared.run('a', fail), shared.run('a', fail)]
  for (const one of both) await expect(one).rejects.toThrow('broken')
  expect(await shared.run('a', async () => 'x')).toBe('x')
})
