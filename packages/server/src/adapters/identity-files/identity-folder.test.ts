import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { bundleWriter } from '../../../test/identity-files/killable-writer.ts'
import { decodeIdentityFile, encodeIdentityFile } from './identity-file.ts'
import { type IdentityFolder, openIdentityFolder } from './identity-folder.ts'

const COUNT = 16
let path: string
let problems: string[]
beforeEach(async () => {
  path = join(await mkdtemp(join(tmpdir(), 'nowcast-identities-')), 'identities')
  problems = []
})
afterEach(() => rm(join(path, '..'), { recursive: true, force: true }))

const opened = (epoch = 1, offsets = 1000) =>
  openIdentityFolder(epoch, {
    ...{ folder: path, offsets, fileIdentities: COUNT },
    onProblem: (problem) => problems.push(problem),
  })

/** Unlike those of any other file. */
const identitiesAt = (offset: number) => ({
  offset,
  ids: Uint32Array.from({ length: COUNT * 3 }, (_, i) => offset * 3 + i + 1),
  receivedAt: Float64Array.from({ length: COUNT }, (_, i) => 1_700_000_000_000 + ((i * 7) % COUNT) * 1000),
})

async function saved(folder: IdentityFolder, partition: number, ...offsets: number[]): Promise<void> {
  for (const offset of offsets) folder.save(partition, identitiesAt(offset))
  await folder.settled()
}

test('what was saved is loaded again, by whoever opens the folder, and nobody else may read it', async () => {
  await saved(await opened(), 3, 0, 16)
  const folder = await opened()
  expect([folder.offsets(3), folder.offsets(0)]).toEqual([[0, 16], []])
  expect(await folder.load(3, 16)).toEqual(identitiesAt(16))
  const [name] = (await readdir(path)) as [string]
  const { size, mode } = await stat(join(path, name))
  expect(size).toBe(36 + COUNT * 16)
  expect(mode & 0o077).toBe(0)
  expect(problems).toEqual([])
})

test('the newest files of a partition are kept, and no more', async () => {
  const folder = await opened(1, 40)
  await saved(folder, 0, 0, 16, 32, 48, 64)
  await saved(folder, 0, 0)
  expect(folder.offsets(0)).toEqual([16, 32, 48, 64])
  expect(await readdir(path)).toHaveLength(4)
  // N has become smaller.
  expect((await opened(1, 10)).offsets(0)).toEqual([48, 64])
})

test('files of another log, and what was never finished, are deleted', async () => {
  await saved(await opened(1), 0, 0)
  await writeFile(join(path, 'a.tmp'), 'half')
  expect((await opened(2)).offsets(0)).toEqual([])
  expect(await readdir(path)).toEqual([])
})

test('a file that is torn or another’s is told, deleted and not used', async () => {
  await saved(await opened(), 0, 0, 16)
  const file = join(path, '1-0-16.ids')
  const whole = await readFile(file)
  const other = await readFile(join(path, '1-0-0.ids'))
  const torn = [0, 1, 35, 36, whole.byteLength - 1].map((length) => whole.subarray(0, length))
  const folder = await opened()
  const bad = [...torn, Buffer.alloc(whole.byteLength), other, Buffer.concat([whole, Buffer.alloc(16)])]
  for (const bytes of bad) {
    await saved(folder, 0, 16)
    await writeFile(file, bytes)
    expect(await folder.load(0, 16)).toBeUndefined()
  }
  expect(problems).toHaveLength(bad.length)
  expect(folder.offsets(0)).toEqual([0])
  expect(await readdir(path)).toEqual(['1-0-0.ids'])
})

test('with any one bit changed it is not whole', () => {
  const place = { epoch: 1, partition: 2, offset: 16, count: COUNT }
  const whole = encodeIdentityFile(place, identitiesAt(16)) as Uint8Array
  expect(decodeIdentityFile(place, whole)).toEqual(identitiesAt(16))
  for (let bit = 0; bit < whole.byteLength * 8; bit++) {
    const bytes = Uint8Array.from(whole)
    bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7))
    expect(decodeIdentityFile(place, bytes)).toBeUndefined()
  }
})

test('a file that is gone is no problem, and one that cannot be written is told', async () => {
  const folder = await opened()
  await saved(folder, 0, 0)
  await rm(join(path, '1-0-0.ids'))
  expect(await folder.load(0, 0)).toBeUndefined()
  expect(problems).toEqual([])
  await rm(path, { recursive: true })
  await saved(folder, 0, 16)
  expect(problems).toEqual([expect.stringContaining('ENOENT')])
})

test('times that lie further apart than a file can say are left to the log', async () => {
  const folder = await opened()
  const apart = identitiesAt(0)
  apart.receivedAt[3] = (apart.receivedAt[0] as number) + 2 ** 32
  folder.save(0, apart)
  await folder.settled()
  expect(folder.offsets(0)).toEqual([])
})

test('two that use one folder at once see whole files only', async () => {
  const [first, second] = await Promise.all([opened(), opened()])
  const offsets = Array.from({ length: 12 }, (_, i) => i * COUNT)
  await Promise.all([saved(first, 0, ...offsets), saved(second, 0, ...offsets)])
  for (const folder of [first, second, await opened()]) {
    expect(folder.offsets(0)).toEqual(offsets)
    for (const offset of offsets) expect(await folder.load(0, offset)).toEqual(identitiesAt(offset))
  }
  expect(problems).toEqual([])
})

test('a process that is killed while it writes leaves whole files', async () => {
  const start = await bundleWriter(join(path, '..'))
  let files = 0
  for (let round = 0; round < 4; round++) {
    const writer = start(path)
    while ((await readdir(path).catch(() => [])).length < 3) await sleep(5)
    await sleep(20 + 13 * round)
    writer.kill('SIGKILL')
    await once(writer, 'exit')
    const folder = await openIdentityFolder(1, { folder: path, offsets: 1e9, onProblem: (told) => problems.push(told) })
    for (const offset of folder.offsets(0)) expect((await folder.load(0, offset))?.ids[0]).toBe(offset + 1)
    files += folder.offsets(0).length
  }
  expect(files).toBeGreaterThan(4)
  expect(problems).toEqual([])
})
