import { createHash } from 'node:crypto'
import { accessSync, constants, mkdirSync, readdirSync, renameSync, statSync, utimesSync } from 'node:fs'
import path from 'node:path'
import { isRunning, type Owner, thisOwner } from './owner.ts'

/** A file of a process that cannot be asked whether it runs is taken over after so long without a sign of life. */
export const LEASE_MS = 60_000

/** The files of one client in a folder that many processes share. */
export interface SpoolFolder {
  /** A path for a new file of this client, after all before. */
  newPath(): string
  /** Takes over the files that ended processes have left, oldest first; each goes to one process only. */
  adopt(): string[]
  /** Shows that the files are in use. */
  touch(files: string[]): void
  /** Whether a file is still this client's. */
  isOwn(file: string): boolean
}

let lastNumber = 0

/**
 * Opens a folder for the events of one server and key; those of others are left alone.
 *
 * @throws TypeError when the folder cannot be made, read or written
 */
export function openSpoolFolder(folder: string, url: string, key: string): SpoolFolder {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    accessSync(folder, constants.R_OK | constants.W_OK)
  } catch (cause) {
    throw new TypeError(`spool.folder ${folder} cannot be used: ${(cause as Error).message}`, { cause })
  }
  const target = createHash('sha256').update(`${url} ${key}`).digest('hex').slice(0, 8)
  const { host, pid, start } = thisOwner
  const suffix = `.${target}.${host}.${pid}.${start}.spool`

  /** Files by time of birth; the number keeps apart those of one millisecond. */
  const newName = (born = Date.now()) => `${String(born).padStart(13, '0')}-${String(++lastNumber).padStart(6, '0')}`

  function isLeft(name: string) {
    const [, itsTarget, itsHost, itsPid, itsStart] = name.split('.')
    if (itsTarget !== target) return false
    const owner: Owner = { host: itsHost!, pid: +itsPid!, start: itsStart! }
    return !(isRunning(owner) ?? Date.now() - statSync(path.join(folder, name)).mtimeMs < LEASE_MS)
  }

  return {
    newPath: () => path.join(folder, newName() + suffix),
    adopt() {
      const adopted: string[] = []
      for (const name of readdirSync(folder).sort()) {
        if (!name.endsWith('.spool')) continue
        const ours = path.join(folder, newName(Number.parseInt(name, 10)) + suffix)
        try {
          if (!isLeft(name)) continue
          // Only one of several processes that try to rename a file succeeds.
          renameSync(path.join(folder, name), ours)
          adopted.push(ours)
        } catch {
          // Another process was faster.
        }
      }
      return adopted
    },
    touch(files) {
      const now = new Date()
      for (const file of files) {
        try {
          utimesSync(file, now, now)
        } catch {
          // Gone: isOwn tells.
        }
      }
    },
    isOwn(file) {
      try {
        return !!statSync(file)
      } catch {
        return false
      }
    },
  }
}
