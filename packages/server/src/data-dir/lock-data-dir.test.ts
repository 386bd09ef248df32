import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { dataDirHolder, lockDataDir } from './lock-data-dir.ts'
import { processStart } from './process-start.ts'

let dir: string
beforeEach(async () => {
  dir = join(await mkdtemp(join(tmpdir(), 'nowcast-lock-')), 'data')
})
afterEach(() => rm(join(dir, '..'), { recursive: true, force: true }))

test('the holder is known with its address, and nobody else may read its key', async () => {
  const lock = await lockDataDir(dir, 'the key')
  await lock.announce('http://127.0.0.1:4600')
  expect(await dataDirHolder(dir)).toMatchObject({
    pid: process.pid,
    url: 'http://127.0.0.1:4600',
    adminKey: 'the key',
  })
  expect((await stat(join(dir, 'server.json'))).mode & 0o077).toBe(0)
  expect((await stat(dir)).mode & 0o077).toBe(0)
  await lock.release()
  expect(await dataDirHolder(dir)).toBeUndefined()
})

test('a second server is refused with the first one’s process', async () => {
  const lock = await lockDataDir(dir, 'a')
  await expect(lockDataDir(dir, 'b')).rejects.toThrow(/already in use/)
  const other = spawn('sleep', ['30'])
  const held = { pid: other.pid, start: await processStart(other.pid as number), adminKey: 'x', url: 'http://x' }
  await writeFile(join(dir, 'server.json'), JSON.stringify(held))
  await expect(lockDataDir(dir, 'b')).rejects.toThrow(`held by process ${other.pid} (http://x)`)
  other.kill('SIGKILL')
  await once(other, 'exit')
  await (await lockDataDir(dir, 'b')).release()
  await lock.release()
})

test('a lock left by a killed process is taken, also when its id is another process now', async () => {
  await (await lockDataDir(dir, 'a')).release()
  await writeFile(join(dir, 'server.json'), JSON.stringify({ pid: 1, start: '123456789', adminKey: 'x' }))
  const lock = await lockDataDir(dir, 'b')
  expect(JSON.parse(await readFile(join(dir, 'server.json'), 'utf8')).pid).toBe(process.pid)
  await lock.release()
})

test('a process that was killed and not cleared away is none', async () => {
  // Its parent never asks how it ended.
  const parent = spawn('sh', ['-c', 'sleep 30 & echo $!; exec sleep 30'])
  const [line] = (await once(parent.stdout, 'data')) as [Buffer]
  const pid = Number(line.toString().trim())
  expect(await processStart(pid)).toMatch(/^\d+$/)
  process.kill(pid, 'SIGKILL')
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(await processStart(pid)).toBeUndefined()
  parent.kill('SIGKILL')
})

test('a folder that cannot be made is an error that says what to do', async () => {
  await (await lockDataDir(dir, 'a')).release()
  await writeFile(join(dir, 'file'), '')
  await expect(lockDataDir(join(dir, 'file', 'data'), 'a')).rejects.toThrow(/cannot be written .*--data-dir/)
  await expect(lockDataDir('/proc/nowcast/data', 'a')).rejects.toThrow(/cannot be written .*--data-dir/)
})
