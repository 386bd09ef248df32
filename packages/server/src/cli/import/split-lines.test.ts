import fc from 'fast-check'
import { expect, it } from 'vitest'
import { LINE_BYTES, splitLines, type TextLine } from './split-lines.ts'

async function split(chunks: Buffer[], wholeLines = false): Promise<TextLine[]> {
  const lines: TextLine[] = []
  const source = (async function* () {
    yield* chunks
  })()
  for await (const some of splitLines(source, { wholeLines })) lines.push(...some)
  return lines
}

it('gives the same lines wherever the chunks end', async () => {
  const byte = fc.constantFrom(0x61, 0x0a, 0x0d, 0xc3, 0xa9, 0x00, 0xff)
  await fc.assert(
    fc.asyncProperty(fc.array(byte, { maxLength: 40 }), fc.integer({ min: 1, max: 7 }), async (bytes, size) => {
      const whole = Buffer.from(bytes)
      const chunks: Buffer[] = []
      for (let i = 0; i < whole.length; i += size) chunks.push(whole.subarray(i, i + size))
      const lines = await split(chunks)
      expect(lines).toEqual(await split([whole]))
      const parts = whole.toString('latin1').split('\n')
      if (parts.at(-1) === '') parts.pop()
      expect(lines.map(({ line }) => line)).toEqual(parts.map((_, i) => i + 1))
    }),
  )
})

it('takes off a byte order mark and line ends', async () => {
  const lines = await split([Buffer.from('\ufeffa\r\n\r\nb')])
  expect(lines.map(({ text }) => text)).toEqual(['a', '', 'b'])
})

it('keeps the beginning of a line that is too long, wherever its chunks end', async () => {
  const long = Buffer.alloc(LINE_BYTES + 10, 'x')
  for (const size of [1000, 70_001, LINE_BYTES, 2 * LINE_BYTES]) {
    const whole = Buffer.concat([Buffer.from('a\n'), long, Buffer.from('\nb\n'), long])
    const chunks: Buffer[] = []
    for (let i = 0; i < whole.length; i += size) chunks.push(whole.subarray(i, i + size))
    const lines = await split(chunks)
    expect(lines.map(({ line, fault }) => [line, fault?.code])).toEqual([
      [1, undefined],
      [2, 'line_too_long'],
      [3, undefined],
      [4, 'line_too_long'],
    ])
    expect(lines[1]!.fault!.message).toContain(String(long.length))
    expect(lines[1]!.text.length).toBeLessThanOrEqual(1024)
  }
})

it('can leave out a last line that was cut off', async () => {
  expect(await split([Buffer.from('a\nb')], true)).toEqual([{ line: 1, text: 'a' }])
})
