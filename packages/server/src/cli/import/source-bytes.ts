import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { ImportError } from './import-error.ts'

const CHUNK_BYTES = 1 << 17

export interface SourceBytes {
  /** The file's bytes, inflated. Of a truncated gzip file: as far as they go. */
  chunks: AsyncIterable<Buffer>
  /** Bytes as stored that were read so far. */
  readonly bytesRead: number
}

/**
 * Reads a file that was identified before.
 * @throws ImportError `file_changed` at the end, when the content is not what was identified
 */
export function openSourceBytes(
  path: string,
  identity: { bytes: number; sha256: string; gzip: boolean; truncated: boolean },
): SourceBytes {
  let bytesRead = 0

  async function* read(): AsyncGenerator<Buffer> {
    if (identity.bytes === 0) return
    const hash = createHash('sha256')
    const stored = createReadStream(path, { end: identity.bytes - 1, highWaterMark: CHUNK_BYTES })
    stored.on('data', (chunk) => {
      hash.update(chunk)
      bytesRead += chunk.length
    })
    const source = identity.gzip ? pipeline(stored, createGunzip({ chunkSize: CHUNK_BYTES }), () => {}) : stored
    try {
      for await (const chunk of source as AsyncIterable<Buffer>) yield chunk
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      if (!(identity.truncated && code === 'Z_BUF_ERROR')) {
        throw new ImportError('unreadable', `Reading ${path} failed: ${message}`, error)
      }
    }
    if (bytesRead !== identity.bytes || hash.digest('hex') !== identity.sha256) {
      throw new ImportError(
        'file_changed',
        `${path} was changed while it was being read: import a copy that stays as it is, such as a rotated log.`,
      )
    }
  }

  return {
    chunks: read(),
    get bytesRead() {
      return bytesRead
    },
  }
}
