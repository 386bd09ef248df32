import { expect, test } from 'vitest'
import { parseInsertStatement } from './insert-statement.ts'

test('an insert whose rows come apart is told from every other statement', () => {
  expect(parseInsertStatement('INSERT INTO nowcast.events FORMAT JSONEachRow')).toEqual({
    ...{ target: 'nowcast.events', format: 'JSONEachRow' },
  })
  expect(parseInsertStatement('insert into t (`a`, b)\nformat TSV;\n')).toEqual({ target: 't (`a`, b)', format: 'TSV' })
  for (const other of ['', 'SELECT 1 FORMAT TSV', 'INSERT INTO t VALUES (1)', 'INSERT INTO t SELECT 1']) {
    expect(parseInsertStatement(other)).toBeUndefined()
  }
})
