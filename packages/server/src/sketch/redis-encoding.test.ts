import { expect, it } from 'vitest'
import { HyperLogLog } from './hyperloglog.ts'

const header = (encoding: number) => Buffer.from([...Buffer.from('HYLL'), encoding, ...new Array(11).fill(0)])
const sparse = (...codes: number[]) => Buffer.concat([header(1), Buffer.from(codes)])

it('reads what it wrote', () => {
  const sketch = new HyperLogLog()
  for (let index = 0; index < 16384; index += 7) sketch.addRegister(index, 1 + (index % 51))
  const value = sketch.toRedis()
  expect([value.length, value.toString('latin1', 0, 4), value[4], value[15]]).toEqual([12_304, 'HYLL', 0, 0x80])
  expect(HyperLogLog.fromRedis(value).toDense()).toEqual(sketch.toDense())
})

it('reads runs of every kind', () => {
  // 3 zeros, two registers of 32, 16,378 zeros, one register of 1.
  const sketch = HyperLogLog.fromRedis(sparse(0x02, 0xfd, 0x7f, 0xf9, 0x80))
  const expected = new HyperLogLog()
  expected.addRegister(3, 32)
  expected.addRegister(4, 32)
  expected.addRegister(16383, 1)
  expect(sketch.toSparse()).toEqual(expected.toSparse())
})

it.each([
  ['nothing', Buffer.alloc(0)],
  ['another string', Buffer.from('a string of some other kind')],
  ['a header only', header(0)],
  ['an unknown encoding', Buffer.concat([header(2), Buffer.alloc(12_288)])],
  ['a dense one cut short', new HyperLogLog().toRedis().subarray(0, 12_303)],
  ['a rank above 51', Buffer.concat([header(0), Buffer.alloc(12_288, 0xff)])],
  ['a sparse one cut short', sparse(0x7f)],
  ['too few registers', sparse(0x7f, 0xfe)],
  ['too many zeros', sparse(0x7f, 0xff, 0x00)],
  ['too many registers', sparse(0x7f, 0xfe, 0x81)],
])('refuses %s', (_, value) => {
  expect(() => HyperLogLog.fromRedis(value)).toThrow(RangeError)
})
