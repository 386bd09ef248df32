import { expect, test } from 'vitest'
import { toDruidRow } from './druid-row.ts'

const PLACE = '"insert_before":1767225600000,"log_epoch":7,"log_partition":2,"log_offset":9007199254740000'
const ROW = `{${PLACE},"project":"shop","received_at":1767225600100,"ts":1767225600000,"id":"e1","name":"purchase","user_id":"u1","session_id":"s1","category":"shoes","country":"DE","device":"mobile","amount":"-0.0001","currency":"EUR","revenue":"-0.0001","properties":{"b":1,"a":["x"]}}`

test('a row keeps what it is, says where it stands, and has its money as a whole number', () => {
  const { value, ...place } = toDruidRow(ROW)
  expect(place).toEqual({ epoch: 7, partition: 2, offset: 9_007_199_254_740_000, receivedAt: 1_767_225_600_100 })
  const { user_hash, session_hash, ...fields } = JSON.parse(value.toString())
  expect(fields).toEqual({
    ...{ log_epoch: 7, log_partition: 2, log_offset: 9_007_199_254_740_000, received_at: 1_767_225_600_100 },
    ...{ project: 'shop', ts: 1_767_225_600_000, id: 'e1', name: 'purchase', user_id: 'u1', session_id: 's1' },
    ...{ category: 'shoes', country: 'DE', device: 'mobile', amount: '-0.0001', currency: 'EUR', revenue: -1 },
    ...{ cell_name: 'purchase', cell_country: 'DE', cell_device: 'mobile', cell_category: 'shoes' },
    ...{ hot1: '', hot2: '', unconverted: '', properties: '{"b":1,"a":["x"]}' },
  })
  expect(user_hash).not.toBe(session_hash)
})

test('what an event is counted under wins, and hashes are longs with a sign, 0 for no session', () => {
  const { value } = toDruidRow(
    ROW.replace('"session_id":"s1",', '').replace('"category"', '"cell_category":"(other)","category"'),
  )
  const text = value.toString()
  expect(JSON.parse(text)).toMatchObject({ category: 'shoes', cell_category: '(other)' })
  expect(text).toMatch(/,"user_hash":-?\d{17,19},"session_hash":0\}$/)
})
