import { promisify } from 'node:util'
import * as zlib from 'node:zlib'
import { decompress as unpackZstd } from 'fzstd'
import { unpackLz4 } from './unpack-lz4.ts'
import { unpackSnappy } from './unpack-snappy.ts'

/** How records are packed on their way to Kafka. */
export type Compression = 'none' | 'gzip' | 'zstd'

/** A batch that unpacks to more is not read: the largest that Kafka takes by default is 1 MiB packed. */
const MAX_UNPACKED_BYTES = 64 * 1024 * 1024

/** Node has zstd since 22.15. */
const node = zlib as {
  zstdCompress?: (bytes: Uint8Array, callback: (error: Error | null, packed: Buffer) => void) => void
  zstdDecompressSync?: (bytes: Uint8Array, options: { maxOutputLength: number }) => Buffer
}
const gzip = promisify(zlib.gzip) as (bytes: Uint8Array, options: zlib.ZlibOptions) => Promise<Buffer>

/** Why this Node cannot pack so; undefined when it can. */
export function compressionProblem(compression: Compression): string | undefined {
  if (compression !== 'zstd' || node.zstdCompress) return undefined
  return 'kafka.compression: zstd needs Node 22.15 or newer; use gzip or none'
}

export async function compress(compression: Exclude<Compression, 'none'>, bytes: Uint8Array): Promise<Buffer> {
  if (compression === 'gzip') return gzip(bytes, { level: 1 })
  return new Promise((resolve, reject) => {
    node.zstdCompress?.(bytes, (error, packed) => (error ? reject(error) : resolve(packed)))
  })
}

/**
 * The records of a batch with these attributes. We read what we do not write too, since a broker packs batches anew
 * where the topic's `compression.type` says so. @throws Error when they cannot be unpacked
 */
export function decompress(attributes: number, bytes: Buffer): Buffer {
  const options = { maxOutputLength: MAX_UNPACKED_BYTES }
  switch (attributes & 7) {
    case 0:
      return bytes
    case 1:
      return zlib.gunzipSync(bytes, options)
    case 2:
      return unpackSnappy(bytes, MAX_UNPACKED_BYTES)
    case 3:
      return unpackLz4(bytes, MAX_UNPACKED_BYTES)
    case 4:
      if (node.zstdDecompressSync) return node.zstdDecompressSync(bytes, options)
      return Buffer.from(unpackZstd(bytes))
    default:
      throw new Error('compressed in a way that is not known')
  }
}
