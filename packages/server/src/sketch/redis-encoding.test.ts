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

it('writes few registers in as few bytes as Redis does, and reads them again', () => {
  const sketch = new HyperLogLog()
  expect(sketch.toRedis().subarray(16)).toEqual(Buffer.from([0x7f, 0xff]))
  for (const index of [0, 1, 2, 3, 4, 70, 200, 16383]) sketch.addRegister(index, index === 70 ? 32 : 5)
  const value = sketch.toRedis()
  // Four registers of 5 and one more, 65 zeros, one of 32, 129 zeros, one of 5, 16,182 zeros, one of 5.
  expect(value.subarray(16)).toEqual(Buffer.from([0x93, 0x90, 0x40, 0x40, 0xfc, 0x40, 0x80, 0x90, 0x7f, 0x35, 0x90]))
  expect(HyperLogLog.fromRedis(value).toSparse()).toEqual(sketch.toSparse())
})

it('writes ranks that sparse cannot say, and many registers, dense', () => {
  const high = new HyperLogLog()
  high.addRegister(5, 33)
  const many = new HyperLogLog()
  for (let index = 0; index < 16384; index += 8) many.addRegister(index, 1 + (index % 30))
  for (const sketch of [high, many]) {
    expect(sketch.toRedis().length).toBe(12_304)
    expect(HyperLogLog.fromRedis(sketch.toRedis()).toDense()).toEqual(sketch.toDense())
  }
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
  ['a dense one cut short', Buffer.concat([header(0), Buffer.alloc(12_287)])],
  ['a rank above 51', Buffer.concat([header(0), Buffer.alloc(12_288, 0xff)])],
  ['a sparse one cut short', sparse(0x7f)],
  ['too few registers', sparse(0x7f, 0xfe)],
  ['too many zeros', sparse(0x7f, 0xff, 0x00)],
  ['too many registers', sparse(0x7f, 0xfe, 0x81)],
])('refuses %s', (_, value) => {
  expect(() => HyperLogLog.fromRedis(value)).toThrow(RangeError)
})
