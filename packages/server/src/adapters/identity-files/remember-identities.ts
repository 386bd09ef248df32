import type { EventLog, LogIdentities } from '../../ports/event-log.ts'
import { type IdentityFolder, type IdentityFolderOptions, openIdentityFolder } from './identity-folder.ts'

export interface RememberOptions extends IdentityFolderOptions {
  /** Told where identities were read from. */
  onRead?(source: 'file' | 'log', identities: number): void
}

/** The identities of a partition that are being gathered for the next file. */
interface Gathered {
  offset: number
  count: number
  ids: Uint32Array
  receivedAt: Float64Array
}

/**
 * A log whose identities are also kept in files, so that {@link EventLog.readIdentities} need not ask the log for what
 * this process, or the one before it, has read already. For logs where that is dear.
 *
 * Files never say more than the log: they are asked only for what the log still has, and only if the log has the newest
 * identity that is taken from them where they have it. What stands before an offset of a log does not change while the
 * offset itself does not.
 */
export function rememberIdentities(log: EventLog, options: RememberOptions): EventLog {
  const { onProblem, onRead } = options
  let opened: { epoch: number; folder: Promise<IdentityFolder | undefined> } | undefined
  let gathered: (Gathered | undefined)[] = []

  /** The files of the log as it is now; undefined when the folder cannot be used. */
  function folderOf(epoch: number): Promise<IdentityFolder | undefined> {
    if (opened?.epoch === epoch) return opened.folder
    gathered = []
    const before = opened?.folder.then((folder) => folder?.settled())
    const folder = Promise.resolve(before)
      .then(() => openIdentityFolder(epoch, options))
      .catch((error: Error) => {
        onProblem(error.message)
        return undefined
      })
    opened = { epoch, folder }
    return folder
  }

  /** Takes in what was read of the log, as far as it goes on where the last reading ended; behind a gap it begins anew. */
  function gather(folder: IdentityFolder, partition: number, { offset, ids, receivedAt }: LogIdentities): void {
    const end = offset + receivedAt.length
    let into = gathered[partition]
    if (!into || offset > into.offset + into.count) into = emptyFrom(offset, folder.count)
    let at = into.offset + into.count
    while (at < end) {
      const first = at - offset
      const taken = Math.min(end - at, folder.count - into.count)
      into.ids.set(ids.subarray(first * 3, (first + taken) * 3), into.count * 3)
      into.receivedAt.set(receivedAt.subarray(first, first + taken), into.count)
      into.count += taken
      at += taken
      if (into.count < folder.count) continue
      folder.save(partition, into)
      into = emptyFrom(at, folder.count)
    }
    gathered[partition] = into
  }

  async function* fromLog(
    folder: IdentityFolder | undefined,
    epoch: number,
    partition: number,
    chunks: AsyncIterable<LogIdentities>,
  ): AsyncGenerator<LogIdentities> {
    for await (const chunk of chunks) {
      onRead?.('log', chunk.receivedAt.length)
      if (folder && log.epoch === epoch) gather(folder, partition, chunk)
      yield chunk
    }
  }

  /** The newest file that reaches into `[from, to)`, with its identities that lie there. */
  async function newestFile(folder: IdentityFolder, partition: number, from: number, to: number) {
    for (const offset of folder.offsets(partition).toReversed()) {
      if (offset >= to) continue
      if (offset + folder.count <= from) return undefined
      const whole = await folder.load(partition, offset)
      if (whole) return cut(whole, from, to)
    }
    return undefined
  }

  async function* readIdentities(partition: number, from: number, to: number): AsyncGenerator<LogIdentities> {
    const { epoch } = log
    const { identityStart } = await log.extent(partition)
    const folder = await folderOf(epoch)
    let at = Math.max(from, identityStart)
    const logged = (start: number, end: number) =>
      fromLog(folder, epoch, partition, log.readIdentities(partition, start, end))
    const newest = folder && (await newestFile(folder, partition, at, to))
    if (!newest) return yield* logged(at, to)

    // From its last identity on, which both must have.
    const rest = log.readIdentities(partition, endOf(newest) - 1, to)[Symbol.asyncIterator]()
    try {
      const { value: first } = await rest.next()
      if (log.epoch !== epoch || !first || !isLastOf(newest, first)) {
        onProblem(
          `partition ${partition} of the log does not have the event that files have at offset ${endOf(newest) - 1}`,
        )
        await folder.forget(partition)
        return yield* logged(at, to)
      }
      for (const offset of folder.offsets(partition)) {
        if (offset + folder.count <= at || offset >= endOf(newest)) continue
        const file =
          offset <= newest.offset && newest.offset < offset + folder.count
            ? newest
            : await folder.load(partition, offset)
        if (!file) continue
        const part = cut(file, at, to)
        if (part.offset > at) yield* logged(at, part.offset)
        onRead?.('file', part.receivedAt.length)
        yield part
        at = endOf(part)
      }
      yield* fromLog(folder, epoch, partition, continued(first, at, rest))
    } finally {
      await rest.return?.()
    }
  }

  return {
    get partitions() {
      return log.partitions
    },
    get epoch() {
      return log.epoch
    },
    start: log.start,
    async stop() {
      await (await opened?.folder)?.settled()
      await log.stop()
    },
    append: log.append,
    extent: log.extent,
    async read(partition, from) {
      const { epoch } = log
      const slice = await log.read(partition, from)
      const folder = slice && (await folderOf(epoch))
      if (folder && log.epoch === epoch) {
        const { ids, receivedAt } = slice.batch
        gather(folder, partition, { offset: slice.offset, ids, receivedAt })
      }
      return slice
    },
    readIdentities,
    offsetAt: log.offsetAt,
    onAppend: log.onAppend,
  }
}

/** Nothing yet, of the first file that begins at `offset` or later. */
function emptyFrom(offset: number, fileIdentities: number): Gathered {
  return {
    offset: Math.ceil(offset / fileIdentities) * fileIdentities,
    count: 0,
    ids: new Uint32Array(fileIdentities * 3),
    receivedAt: new Float64Array(fileIdentities),
  }
}

const endOf = ({ offset, receivedAt }: LogIdentities) => offset + receivedAt.length

/** Those of `[from, to)`. */
function cut(identities: LogIdentities, from: number, to: number): LogIdentities {
  const first = Math.max(0, from - identities.offset)
  const last = Math.max(first, Math.min(identities.receivedAt.length, to - identities.offset))
  return {
    offset: identities.offset + first,
    ids: identities.ids.subarray(first * 3, last * 3),
    receivedAt: identities.receivedAt.subarray(first, last),
  }
}

/** Whether what was read from the log begins with the last identity of a file. An offset without an event has no time. */
function isLastOf(file: LogIdentities, { offset, ids, receivedAt }: LogIdentities): boolean {
  const last = file.receivedAt.length - 1
  const words = [0, 1, 2]
  const isSame = words.every((word) => ids[word] === file.ids[last * 3 + word])
  const hasTime = words.some((word) => ids[word] !== 0)
  return offset === endOf(file) - 1 && isSame && (!hasTime || receivedAt[0] === file.receivedAt[last])
}

/** What came from the log first, from `at` on, and then what is left. */
async function* continued(
  first: LogIdentities,
  at: number,
  rest: AsyncIterator<LogIdentities>,
): AsyncGenerator<LogIdentities> {
  const part = cut(first, at, endOf(first))
  if (part.receivedAt.length > 0) yield part
  for (;;) {
    const { value, done } = await rest.next()
    if (done) return
    yield value
  }
}
