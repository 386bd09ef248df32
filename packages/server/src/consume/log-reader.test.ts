import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createLmdbEventLog } from '../adapters/lmdb/lmdb-event-log.ts'
import { batchOf, changedLog } from '../ports/event-log.conformance.ts'
import { createLogReader } from './log-reader.ts'

test('a reading of known ids that failed half way is not taken for one that an earlier offset could go on from', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nowcast-log-reader-'))
  const log = createLmdbEventLog({ path: folder, partitions: 1 })
  await log.start()
  // 100 events in blocks of ten, then the first ten of them again, and ten new ones.
  for (let n = 0; n < 100; n += 10) await log.append([batchOf(n, n + 10)])
  await log.append([batchOf(0, 10)])
  await log.append([batchOf(200, 210)])
  let failAt = 8
  const failing = changedLog(log, {
    async *readIdentities(partition, from, to) {
      for await (const chunk of log.readIdentities(partition, from, to)) {
        if (failAt-- === 0) throw new Error('the disk could not be read')
        yield chunk
      }
    },
  })
  const reader = createLogReader(failing, { partition: 0, duplicateOffsets: 100, duplicateMs: 60_000 })
  // Needs the ids from offset 20 on, and gets those up to offset 100.
  await expect(reader.seek(120)).rejects.toThrow('disk')
  // Needs those from offset 0 on.
  await reader.seek(100)
  expect(await reader.passOver(120)).toBe(10)
  // Known ones are told apart from those that are missing.
  await reader.seek(100)
  expect(await reader.passOver(120, (offset) => offset < 115)).toBe(5)
  await log.stop()
  await rm(folder, { recursive: true })
})
