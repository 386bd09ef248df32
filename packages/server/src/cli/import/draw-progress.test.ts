import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { drawProgress } from './draw-progress.ts'
import type { ImportProgress } from './import-options.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const progress = (bytesRead: number): ImportProgress => ({
  file: 'access.log',
  phase: 'importing',
  bytesRead,
  bytesTotal: 1000,
  lines: bytesRead * 10,
  accepted: bytesRead * 10,
  rejected: 3,
  eventsPerSecond: 50_000,
})

it('prints a line every few seconds where there is no terminal', () => {
  const printed: string[] = []
  const drawing = drawProgress(new PassThrough() as unknown as NodeJS.WriteStream, (line) => printed.push(line))
  for (let bytes = 0; bytes <= 400; bytes += 10) {
    drawing.update(progress(bytes))
    vi.advanceTimersByTime(250)
  }
  drawing.notice('Waiting.')
  drawing.stop()
  expect(printed).toEqual([
    'access.log',
    '12 % | 1,200 lines, 50,000 events/s, 3 rejected, 22 s left',
    '24 % | 2,400 lines, 50,000 events/s, 3 rejected, 19 s left',
    '36 % | 3,600 lines, 50,000 events/s, 3 rejected, 16 s left',
    'Waiting.',
  ])
})

it('draws a bar on a terminal', () => {
  const stream = Object.assign(new PassThrough(), {
    isTTY: true,
    columns: 120,
    cursorTo: () => true,
    clearLine: () => true,
  })
  let drawn = ''
  stream.on('data', (part) => {
    drawn += part
  })
  const drawing = drawProgress(stream as unknown as NodeJS.WriteStream)
  for (let bytes = 0; bytes <= 400; bytes += 100) {
    drawing.update(progress(bytes))
    vi.advanceTimersByTime(1000)
  }
  drawing.notice('Waiting.')
  drawing.stop()
  expect(drawn).toMatch(/█+░+ 40 % \| 4,000 lines, 50,000 events\/s, 3 rejected, 6 s left/)
  expect(drawn).toContain('Waiting.\n')
})
