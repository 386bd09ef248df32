import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { LogIdentities } from '../../ports/event-log.ts'
import { decodeIdentityFile, encodeIdentityFile } from './identity-file.ts'

const NAME = /^(\d+)-(\d+)-(\d+)\.ids$/
/** Files that wait to be written; what comes on top is left out, and will be read from the log. */
const MOST_WAITING = 16

export interface IdentityFolderOptions {
  /** Made if absent. */
  folder: string
  /** Offsets of a partition that are kept, at least. */
  offsets: number
  /** Identities of a file. @default 8192 */
  fileIdentities?: number
  /** Told of a file that cannot be believed, or not be written. */
  onProblem(problem: string): void
}

/** Identities of one log in files of `count` each, the newest of each partition. A file begins at a multiple of that. */
export interface IdentityFolder {
  readonly count: number
  /** Where the files of a partition begin, in order. */
  offsets(partition: number): readonly number[]
  /** @returns undefined when there is none, or none that can be believed: that one is deleted */
  load(partition: number, offset: number): Promise<LogIdentities | undefined>
  /** Writes a file in its turn. The identities are the folder's from then on. */
  save(partition: number, identities: LogIdentities): void
  /** Deletes what is kept of a partition. */
  forget(partition: number): Promise<void>
  /** Resolves when everything is written. */
  settled(): Promise<void>
}

/** Opens the files of one log and deletes those of others. */
export async function openIdentityFolder(epoch: number, options: IdentityFolderOptions): Promise<IdentityFolder> {
  const { folder, offsets, fileIdentities: count = 8192, onProblem } = options
  const most = Math.ceil(offsets / count) + 1
  const kept = new Map<number, number[]>()
  let writing = Promise.resolve()
  let waiting = 0

  const pathOf = (partition: number, offset: number) => join(folder, `${epoch}-${partition}-${offset}.ids`)
  const remove = (path: string) => rm(path, { force: true }).catch((error: Error) => onProblem(error.message))
  const of = (partition: number) => kept.get(partition) ?? []

  await mkdir(folder, { recursive: true, mode: 0o700 })
  for (const name of await readdir(folder)) {
    const [, ofEpoch, partition, offset] = NAME.exec(name) ?? []
    if (Number(ofEpoch) === epoch) add(Number(partition), Number(offset))
    else await remove(join(folder, name))
  }
  for (const partition of kept.keys()) await limit(partition)

  function add(partition: number, offset: number): void {
    kept.set(
      partition,
      [...of(partition).filter((one) => one !== offset), offset].sort((a, b) => a - b),
    )
  }

  async function drop(partition: number, offset: number): Promise<void> {
    kept.set(
      partition,
      of(partition).filter((one) => one !== offset),
    )
    await remove(pathOf(partition, offset))
  }

  async function limit(partition: number): Promise<void> {
    for (const offset of of(partition).slice(0, -most)) await drop(partition, offset)
  }

  /** Readers see the whole file or none. After a power cut its checksum tells, so nothing waits for the disk. */
  async function write(partition: number, identities: LogIdentities): Promise<void> {
    const bytes = encodeIdentityFile({ epoch, partition, offset: identities.offset, count }, identities)
    if (!bytes) return
    const path = pathOf(partition, identities.offset)
    const unfinished = join(folder, `${randomUUID()}.tmp`)
    try {
      await writeFile(unfinished, bytes, { mode: 0o600 })
      await rename(unfinished, path)
    } catch (error) {
      onProblem((error as Error).message)
      return remove(unfinished)
    }
    add(partition, identities.offset)
    await limit(partition)
  }

  return {
    count,
    offsets: of,
    async load(partition, offset) {
      const path = pathOf(partition, offset)
      const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => error)
      if (bytes instanceof Error) {
        if (bytes.code !== 'ENOENT') onProblem(bytes.message)
        await drop(partition, offset)
        return undefined
      }
      const identities = decodeIdentityFile({ epoch, partition, offset, count }, bytes)
      if (identities) return identities
      onProblem(`${path} is not whole, or not what its name says`)
      await drop(partition, offset)
      return undefined
    },
    save(partition, identities) {
      const all = of(partition)
      const isTooOld = all.length >= most && identities.offset < (all[0] as number)
      if (all.includes(identities.offset) || isTooOld || waiting >= MOST_WAITING) return
      waiting++
      writing = writing.then(() => write(partition, identities)).finally(() => waiting--)
    },
    async forget(partition) {
      for (const offset of of(partition)) await drop(partition, offset)
    },
    settled: () => writing,
  }
}
