import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { batchOf, eventLogConformance, rowsOf } from '../../ports/event-log.conformance.ts'
import { createLmdbEventLog } from './lmdb-event-log.ts'

async function opened(path: string, tailBytes?: number) {
  const log = createLmdbEventLog({ path, partitions: 3, tailBytes })
  await log.start()
  return log
}

for (const tailBytes of [0, undefined]) {
  eventLogConformance(`the embedded log, ${tailBytes === 0 ? 'read from disk' : 'read from its tail'}`, async () => {
    const path = await mkdtemp(join(tmpdir(), 'nowcast-log-'))
    return { open: () => opened(path, tailBytes), cleanUp: () => rm(path, { recursive: true, force: true }) }
  })
}

test('trimming deletes whole blocks below the offset, and identities only below theirs', async () => {
  const path = await mkdtemp(join(tmpdir(), 'nowcast-log-'))
  const log = await opened(path, 0)
  for (let i = 0; i < 10; i++) await log.append([batchOf(i * 10, i * 10 + 10)])
  await log.trim(0, 45, 25)
  expect(await log.extent(0)).toEqual({ start: 40, identityStart: 20, end: 100 })
  const slice = await log.read(0, 5)
  expect(slice?.offset).toBe(40)
  expect(slice && rowsOf(slice.batch)[0]).toMatchObject({ n: 40 })
  await log.trim(0, 100, 100)
  expect(await log.extent(0)).toEqual({ start: 90, identityStart: 90, end: 100 })
  await log.stop()
  await rm(path, { recursive: true })
})

test('a log that holds its limit refuses events until some were deleted, and keeps what it has', async () => {
  const path = await mkdtemp(join(tmpdir(), 'nowcast-log-'))
  const log = createLmdbEventLog({ path, partitions: 1, maxBytes: 256 * 1024 })
  await log.start()
  let appended = 0
  const fill = async () => {
    for (;;) {
      await log.append([batchOf(appended, appended + 500)])
      appended += 500
    }
  }
  await expect(fill()).rejects.toMatchObject({ code: 'log_unavailable', retryable: true, retryAfterMs: 5000 })
  expect(appended).toBeGreaterThan(0)
  expect((await log.extent(0)).end).toBe(appended)
  await log.trim(0, appended, appended)
  await log.append([batchOf(appended, appended + 1)])
  expect((await log.extent(0)).end).toBe(appended + 1)
  await log.stop()
  await rm(path, { recursive: true })
})
