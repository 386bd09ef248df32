import { ClickHouseError } from '@clickhouse/client'
import { afterAll, expect, test } from 'vitest'
import { archiveFailure } from './archive-failure.ts'
import { bundleEngine, clickHouseFixture } from './clickhouse.conformance.ts'
import { createClickHouseEventStore } from './clickhouse-event-store.ts'

const fixture = clickHouseFixture()
afterAll(() => fixture.cleanUp())

test('rights that the user lacks are said with the ones to grant, and are asked for again', async () => {
  const connection = await fixture.connection(await fixture.folder())
  const doing = 'writing events'
  await expect(connection.command("CREATE USER someone IDENTIFIED BY 'x'", { doing })).rejects.toMatchObject({
    code: 'archive_unavailable',
    retryable: true,
    message: expect.stringMatching(
      /its user lacks rights: GRANT SHOW, SELECT, INSERT, CREATE, ALTER, TRUNCATE ON nowcast.*necessary to have the grant/,
    ),
  })
  const readOnly = connection.command('CREATE TABLE t (a UInt8) ENGINE = Memory', {
    doing,
    settings: { readonly: '1' },
  })
  await expect(readOnly).rejects.toMatchObject({
    code: 'archive_unavailable',
    retryable: true,
    message: expect.stringContaining('its user may only read: give --clickhouse one with readonly = 0'),
  })
  await connection.stop()
})

test.each([
  ['60', 'Unknown table expression identifier', 'its tables are gone'],
  ['81', 'Database nowcast does not exist', 'its database is gone'],
  ['243', 'Cannot reserve 1.00 MiB, not enough space', 'its disk is full: make room, or shorten the retention'],
  ['76', 'Cannot open file x, errno: 30, strerror: Read-only file system', 'its disk is read-only'],
  ['452', 'Setting async_insert should not be changed', 'the profile of its user forbids a setting'],
  ['75', 'Cannot write to file, errno: 28, strerror: No space left on device', 'its disk is full'],
  ['252', 'Too many parts (3000)', 'it merges parts more slowly than they come'],
  ['242', 'Table is in readonly mode', 'its replica has lost ClickHouse Keeper'],
  ['241', '(total) memory limit exceeded', 'its memory is full'],
])('error %s (%s): %s', (code, message, words) => {
  expect(archiveFailure(new ClickHouseError({ code, message }), 'writing events')).toMatchObject({
    code: 'archive_unavailable',
    retryable: true,
    message: expect.stringContaining(words),
  })
})

test('until its tables are prepared a store refuses what it is asked, and is not ready', async () => {
  const store = createClickHouseEventStore({
    embedded: { dataDir: await fixture.folder(), entry: await bundleEngine() },
  })
  const started = store.start()
  const refusal = { code: 'archive_unavailable', retryable: true, message: expect.stringContaining('being prepared') }
  await expect(store.ping()).rejects.toMatchObject(refusal)
  await expect(store.firstEventAt('shop')).rejects.toMatchObject(refusal)
  await started
  await store.ping()
  expect(await store.firstEventAt('shop')).toBeUndefined()
  await store.stop()
})
