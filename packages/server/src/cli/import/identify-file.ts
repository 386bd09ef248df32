import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { createGunzip } from 'node:zlib'
import { ImportError } from './import-error.ts'
import type { FileContent } from './progress-file.ts'

const GZIP = '1f8b'
/** First bytes, in hex, of what an import cannot read. */
const UNREADABLE: [start: string, what: string, remedy: string][] = [
  ['504b0304', 'a ZIP archive or a spreadsheet', 'unpack it, or export it as CSV'],
  ['28b52ffd', 'compressed with zstd', 'unpack it with `zstd -d`'],
  ['425a68', 'compressed with bzip2', 'unpack it with `bunzip2`'],
  ['fd377a585a00', 'compressed with xz', 'unpack it with `unxz`'],
  ['50415231', 'a Parquet file', 'export it as CSV or NDJSON'],
  ['fffe', 'UTF-16 text', 'convert it with `iconv -f UTF-16 -t UTF-8`'],
  ['feff', 'UTF-16 text', 'convert it with `iconv -f UTF-16 -t UTF-8`'],
]

export interface FileIdentity extends FileContent {
  gzip: boolean
  /** The file ends inside a gzip member: what is there can be imported, and the rest when it is whole. */
  truncated: boolean
  /** SHA-256 of the first `n` bytes, for each `n` that was asked for and is shorter than the file. */
  beginnings: Map<number, string>
}

/**
 * Reads a file once, to know it again and to find out before anything is sent that it cannot be read.
 * @param lengths lengths in bytes of beginnings to hash as well
 * @param onBytes called with the bytes read so far
 * @throws ImportError
 */
export async function identifyFile(
  path: string,
  lengths: number[],
  signal: AbortSignal | undefined,
  onBytes: (read: number, total: number) => void,
): Promise<FileIdentity> {
  const bytes = await sizeOf(path)
  const start = await firstBytes(path)
  const unreadable = UNREADABLE.find(([first]) => start.startsWith(first))
  if (unreadable) {
    throw new ImportError('unknown_format', `${path} is ${unreadable[1]}: ${unreadable[2]} first.`)
  }
  const gzip = start.startsWith(GZIP)
  const check = gzip ? checkGzip() : undefined
  const hash = createHash('sha256')
  const beginnings = new Map<number, string>()
  const marks = [...new Set(lengths)].filter((n) => n > 0 && n < bytes).sort((a, b) => a - b)
  let read = 0
  if (bytes > 0) {
    for await (const chunk of createReadStream(path, {
      end: bytes - 1,
      highWaterMark: 1 << 18,
    }) as AsyncIterable<Buffer>) {
      if (signal?.aborted) throw new ImportError('interrupted', 'Stopped while the file was being checked.')
      let from = 0
      while (marks[0] !== undefined && marks[0] <= read + chunk.length) {
        const mark = marks.shift()!
        hash.update(chunk.subarray(from, mark - read))
        from = mark - read
        beginnings.set(mark, hash.copy().digest('hex'))
      }
      hash.update(chunk.subarray(from))
      read += chunk.length
      await check?.write(chunk)
      onBytes(read, bytes)
    }
  }
  const fault = await check?.end()
  if (fault === 'corrupt') {
    throw new ImportError(
      'corrupt_gzip',
      `The gzip data of ${path} are damaged: get the file again. Nothing of it was imported.`,
    )
  }
  return { bytes: read, sha256: hash.digest('hex'), gzip, truncated: fault === 'truncated', beginnings }
}

async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw new ImportError('not_found', `There is no file ${path}.`, error)
    throw new ImportError('unreadable', `Cannot read ${path}: ${error.message}`, error)
  })
  if (found.isDirectory()) {
    throw new ImportError('not_a_file', `${path} is a folder: name the files in it, as in ${path}/*.log.`)
  }
  if (!found.isFile()) {
    throw new ImportError(
      'not_a_file',
      `${path} is no regular file; an import reads its input twice: save it to a file.`,
    )
  }
  return found.size
}

async function firstBytes(path: string): Promise<string> {
  const file = await open(path, 'r').catch((error: Error) => {
    throw new ImportError('unreadable', `Cannot read ${path}: ${error.message}`, error)
  })
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(8), 0, 8, 0)
    return buffer.toString('hex', 0, bytesRead)
  } finally {
    await file.close()
  }
}

/** Inflates and forgets. */
function checkGzip() {
  const gunzip = createGunzip()
  let fault: 'truncated' | 'corrupt' | undefined
  let goOn: () => void = () => {}
  const finished = new Promise<void>((resolve) => {
    gunzip.once('error', (error: NodeJS.ErrnoException) => {
      fault = error.code === 'Z_BUF_ERROR' ? 'truncated' : 'corrupt'
      goOn()
      resolve()
    })
    gunzip.once('end', resolve)
  })
  gunzip.on('drain', () => goOn())
  gunzip.resume()
  return {
    async write(chunk: Buffer) {
      if (fault || gunzip.write(chunk)) return
      await new Promise<void>((resolve) => {
        goOn = resolve
      })
    },
    async end() {
      if (!fault) gunzip.end()
      await finished
      return fault
    },
  }
}
