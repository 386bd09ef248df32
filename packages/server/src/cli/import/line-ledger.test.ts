import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createLineLedger } from './line-ledger.ts'

const EMPTY = { lines: 0, accepted: 0, rejected: 0, blank: 0, rejectedBy: {} }

it('counts up to the first open line, in whatever order lines are settled', () => {
  const fates = fc.array(fc.tuple(fc.constantFrom('accept', 'blank', 'reject', 'open'), fc.nat()), { maxLength: 50 })
  fc.assert(
    fc.property(fates, (lines) => {
      const ledger = createLineLedger({ line: 0, totals: EMPTY })
      const tags = lines.map((_, i) => ledger.open(i + 1, i + 1, `line ${i + 1}`))
      const order = lines.map((line, i) => ({ fate: line[0], rank: line[1], i })).sort((a, b) => a.rank - b.rank)
      for (const { fate, i } of order) {
        if (fate === 'accept') ledger.accept(tags[i]!)
        if (fate === 'blank') ledger.blank(tags[i]!)
        if (fate === 'reject') ledger.reject(tags[i]!, { code: 'bad', message: `reason ${i + 1}` })
      }
      const open = lines.findIndex(([fate]) => fate === 'open')
      const settled = open < 0 ? lines : lines.slice(0, open)
      const { lines: read, accepted, rejected, blank, rejectedBy } = ledger.totals
      expect(ledger.line).toBe(settled.length)
      expect(read).toBe(settled.length)
      expect(accepted + rejected + blank).toBe(read)
      expect(rejectedBy.bad ?? 0).toBe(rejected)
      const expected = settled.flatMap(([fate], i) => (fate === 'reject' ? [i + 1] : []))
      expect(ledger.takeRejected().map(({ line }) => line)).toEqual(expected)
      expect(ledger.takeRejected()).toEqual([])
    }),
  )
})

it('makes the reader wait while too many lines are open', async () => {
  const ledger = createLineLedger({ line: 0, totals: EMPTY })
  const tags = Array.from({ length: 70_000 }, (_, i) => ledger.open(i + 1, i + 1, ''))
  let hasRoom = false
  const room = ledger.room().then(() => {
    hasRoom = true
  })
  for (const tag of tags.slice(1)) ledger.accept(tag)
  await Promise.resolve()
  expect(hasRoom).toBe(false)
  ledger.accept(tags[0]!)
  await room
  expect(ledger.line).toBe(70_000)
})

it('ends the wait when nothing more will be settled', async () => {
  const ledger = createLineLedger({ line: 0, totals: EMPTY })
  ledger.open(1, 1, 'x'.repeat(40_000_000))
  const room = ledger.room()
  ledger.fail(new Error('gone'))
  await expect(room).rejects.toThrow('gone')
  await expect(ledger.room()).rejects.toThrow('gone')
})
