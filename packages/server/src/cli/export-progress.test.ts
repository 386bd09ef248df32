import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect, test } from 'vitest'
import { createExportProgress } from './export-progress.ts'

async function shown(isTTY: boolean): Promise<{ text: string; bytes: number }> {
  let text = ''
  const screen = { isTTY, write: (part: string) => (text += part) }
  const progress = createExportProgress(600, screen)
  const chunks = Array.from({ length: 100 }, () => Buffer.alloc(50_000))
  await pipeline(Readable.from(chunks), progress.stream, async (bytes) => {
    for await (const _ of bytes);
  })
  return { text, bytes: progress.bytes() }
}

test('an export shows on a terminal how far it is, now and then, and says nothing into a file', async () => {
  const { text, bytes } = await shown(true)
  expect(bytes).toBe(5_000_000)
  expect(text).toContain('600 events: 0.1 MB written')
  expect(text.endsWith('\n')).toBe(true)
  expect(text.split('\r').length).toBeLessThan(50)
  expect(await shown(false)).toEqual({ text: '', bytes: 5_000_000 })
})
