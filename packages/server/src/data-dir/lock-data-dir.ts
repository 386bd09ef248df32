import { constants } from 'node:fs'
import { access, mkdir, open, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { processStart } from './process-start.ts'

const LOCK_FILE = 'server.json'

/** The server that holds a data directory, as its lock file tells. */
export interface DataDirHolder {
  pid: number
  /** Tells the process from a later one with the same id; '' where the system does not say. */
  start: string
  /** Where it answers; absent until it listens. */
  url?: string
  /** Lets the command line ask for what only the owner may. */
  adminKey: string
}

export interface DataDirLock {
  /** Makes the address known to the other commands. */
  announce(url: string): Promise<void>
  release(): Promise<void>
}

/** The data directory cannot be used; the message says what to do. */
export class DataDirError extends Error {
  override name = 'DataDirError'
}

/** Makes a data directory if need be, readable by its owner only. @throws DataDirError when it cannot be written */
export async function makeDataDir(dir: string): Promise<void> {
  try {
    await makeFolders(dir)
    if (!(await stat(dir)).isDirectory()) throw new Error('it is a file')
    await access(dir, constants.W_OK)
  } catch (error) {
    throw new DataDirError(
      `the data directory ${dir} cannot be written (${(error as Error).message}): choose another with --data-dir, or mend its permissions`,
    )
  }
}

/** Makes a folder and those above it. Node's own recursion never ends where none can be made, as in /proc. */
async function makeFolders(dir: string): Promise<void> {
  try {
    await mkdir(dir, { mode: 0o700 })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return
    const parent = dirname(dir)
    if (code !== 'ENOENT' || (await exists(parent))) throw error
    await makeFolders(parent)
    await mkdir(dir, { mode: 0o700 })
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

/**
 * Takes a data directory for this process; makes it if need be, readable by its owner only.
 * @throws DataDirError when another process holds it or it cannot be written
 */
export async function lockDataDir(dir: string, adminKey: string): Promise<DataDirLock> {
  await makeDataDir(dir)
  const { pid } = process
  const file = join(dir, LOCK_FILE)
  const holder: DataDirHolder = { pid, start: (await processStart(pid)) ?? '', adminKey }
  for (;;) {
    try {
      const handle = await open(file, 'wx', 0o600)
      await handle.writeFile(JSON.stringify(holder))
      await handle.close()
      break
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
        throw new DataDirError(`the data directory ${dir} cannot be written: ${(error as Error).message}`)
      }
    }
    const other = await dataDirHolder(dir)
    if (other && other.pid !== pid) {
      throw new DataDirError(
        `the data directory ${dir} is held by process ${other.pid}${other.url ? ` (${other.url})` : ''}: stop it, or choose another with --data-dir`,
      )
    }
    if (other) throw new DataDirError(`the data directory ${dir} is already in use by this process`)
    await rm(file, { force: true })
  }
  return {
    async announce(url) {
      holder.url = url
      await writeFile(file, JSON.stringify(holder), { mode: 0o600 })
    },
    release: () => rm(file, { force: true }),
  }
}

/** The living process that holds a data directory; undefined when none does. */
export async function dataDirHolder(dir: string): Promise<DataDirHolder | undefined> {
  let holder: DataDirHolder
  try {
    holder = JSON.parse(await readFile(join(dir, LOCK_FILE), 'utf8'))
  } catch {
    return undefined
  }
  const start = await processStart(holder.pid)
  return start !== undefined && start === holder.start ? holder : undefined
}
