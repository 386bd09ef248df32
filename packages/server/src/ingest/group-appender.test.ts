import { expect, test } from 'vitest'
import type { EventLog } from '../ports/event-log.ts'
import type { Cell } from '../record/cell.ts'
import { createGroupAppender } from './group-appender.ts'

const CELL: Cell = {
  project: 'p',
  name: 'a',
  country: 'US',
  device: 'mobile',
  category: '(none)',
  hot1: '',
  hot2: '',
  unconverted: '',
}

/** A log whose appends end when the test says so. */
function slowLog() {
  const appends: { counts: number[]; end(error?: Error): void }[] = []
  const log: Pick<EventLog, 'append'> = {
    append: (batches) =>
      new Promise((resolve, reject) => {
        appends.push({
          counts: batches.map((batch) => batch?.count ?? 0),
          end: (error) => (error ? reject(error) : resolve()),
        })
      }),
  }
  return { appends, log: log as EventLog }
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 1))
}

test('requests that come while an append is under way share the next one, and hear of its end only', async () => {
  const { appends, log } = slowLog()
  const appender = createGroupAppender(log)
  const settled: string[] = []
  const request = (name: string) => {
    const group = appender.open()
    group.builder(0).add({ key: 'p:u', receivedAt: 1, time: 1, revenue: undefined, cell: CELL, row: '{}' })
    appender.schedule()
    group.durable.then(
      () => settled.push(name),
      () => settled.push(`${name} failed`),
    )
  }
  request('first')
  await until(() => appends.length === 1)
  request('second')
  request('third')
  appends[0]?.end()
  await until(() => appends.length === 2)
  expect(settled).toEqual(['first'])
  expect(appends[1]?.counts).toEqual([2])
  appends[1]?.end(new Error('disk full'))
  await until(() => settled.length === 3)
  expect(settled).toEqual(['first', 'second failed', 'third failed'])
  await appender.drain()
})

test('a log that does not answer leads to buffer_full, not to growing memory', async () => {
  const { appends, log } = slowLog()
  const appender = createGroupAppender(log, { maxWaitingBytes: 1000 })
  const row = JSON.stringify({ text: 'x'.repeat(100) })
  const add = () => {
    appender.open().builder(0).add({ key: 'p:u', receivedAt: 1, time: 1, revenue: undefined, cell: CELL, row })
    appender.schedule()
  }
  add()
  await until(() => appends.length === 1)
  expect(() => {
    for (let i = 0; i < 100; i++) add()
  }).toThrow(expect.objectContaining({ code: 'buffer_full', status: 503 }))
  expect(appender.waitingBytes).toBeLessThan(1000 + 2 * row.length)
  appends[0]?.end()
  await until(() => appends.length === 2)
  appends[1]?.end()
  await appender.drain()
  add()
  await until(() => appends.length === 3)
  appends[2]?.end()
})

test('memory of an append is used again once it is durable, and never after one whose outcome is unknown', async () => {
  const { appends, log } = slowLog()
  const appender = createGroupAppender(log)
  const append = async (error?: Error) => {
    const group = appender.open()
    const builder = group.builder(0)
    expect(builder.count).toBe(0)
    builder.add({ key: 'p:u', receivedAt: 1, time: 1, revenue: undefined, cell: CELL, row: '{}' })
    appender.schedule()
    const expected = appends.length + 1
    await until(() => appends.length === expected)
    appends.at(-1)?.end(error)
    await group.durable.catch(() => {})
    await appender.drain()
    return builder
  }
  const first = await append()
  const second = await append(new Error('disk full'))
  const third = await append()
  expect(second).toBe(first)
  expect(third).not.toBe(second)
})
