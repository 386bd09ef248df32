import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createReadGate } from './read-gate.ts'

/** Work that ends when it is told to. */
function held(order: string[], name: string) {
  let end = () => {}
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })
  return {
    work: async () => {
      order.push(name)
      await ended
      return name
    },
    end: () => end(),
  }
}

test('no more run at once than may; the others follow as these end', async () => {
  const gate = createReadGate({ atOnce: 2 })
  const order: string[] = []
  const works = ['a', 'b', 'c'].map((name) => held(order, name))
  const answers = works.map(({ work }) => gate.run('p', work))
  await sleep(5)
  expect(order).toEqual(['a', 'b'])
  expect(gate.waiting).toBe(1)
  works[1]?.end()
  await sleep(5)
  expect(order).toEqual(['a', 'b', 'c'])
  for (const { end } of works) end()
  expect(await Promise.all(answers)).toEqual(['a', 'b', 'c'])
})

test('projects take turns: one with many waiting does not hold up another', async () => {
  const gate = createReadGate({ atOnce: 1 })
  const order: string[] = []
  const names = ['many 1', 'many 2', 'many 3', 'many 4', 'few 1', 'few 2']
  await Promise.all(names.map((name) => gate.run(name.split(' ')[0] as string, async () => void order.push(name))))
  expect(order).toEqual(['many 1', 'many 2', 'few 1', 'many 3', 'few 2', 'many 4'])
})

test('too many of a project are refused at once, other projects are not', async () => {
  const gate = createReadGate({ atOnce: 1, waiting: 1 })
  const first = held([], 'a')
  const answers = [gate.run('p', first.work), gate.run('p', async () => 'b')]
  await expect(gate.run('p', async () => 'c')).rejects.toMatchObject({ code: 'rate_limited', retryAfterMs: 1000 })
  answers.push(gate.run('q', async () => 'd'))
  first.end()
  expect(await Promise.all(answers)).toEqual(['a', 'b', 'd'])
})

test('who goes while waiting never runs and leaves no place taken; a failure frees its place', async () => {
  const gate = createReadGate({ atOnce: 1 })
  const order: string[] = []
  const first = held(order, 'a')
  const gone = new AbortController()
  const answers = [gate.run('p', first.work), gate.run('p', held(order, 'b').work, gone.signal)]
  gone.abort()
  await expect(answers[1]).rejects.toMatchObject({ name: 'AbortError' })
  first.end()
  await answers[0]
  await expect(gate.run('p', () => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
  expect(await gate.run('p', async () => 'c')).toBe('c')
  expect(order).toEqual(['a'])
  expect(gate.waiting).toBe(0)
})
