import { promisify } from 'node:util'
import * as zlib from 'node:zlib'

/** How records are packed on their way to Kafka. */
export type Compression = 'none' | 'gzip' | 'zstd'

/** Kafka's codes in a batch's attributes. */
const CODES = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
/** A batch that unpacks to more is not read: the largest that Kafka takes by default is 1 MiB packed. */
const MAX_UNPACKED_BYTES = 64 * 1024 * 1024

/** Node has zstd since 22.15. */
const zstd = zlib as {
  zstdCompress?: (bytes: Uint8Array, callback: (error: Error | null, packed: Buffer) => void) => void
  zstdDecompressSync?: (bytes: Uint8Array, options: { maxOutputLength: number }) => Buffer
}
const gzip = promisify(zlib.gzip) as (bytes: Uint8Array, options: zlib.ZlibOptions) => Promise<Buffer>

/** Why this Node cannot pack so; undefined when it can. */
export function compressionProblem(compression: Compression): string | undefined {
  if (compression !== 'zstd' || zstd.zstdCompress) return undefined
  return 'kafka.compression: zstd needs Node 22.15 or newer; use gzip or none'
}

export async function compress(compression: Exclude<Compression, 'none'>, bytes: Uint8Array): Promise<Buffer> {
  if (compression === 'gzip') return gzip(bytes, { level: 1 })
  return new Promise((resolve, reject) => {
    zstd.zstdCompress?.(bytes, (error, packed) => (error ? reject(error) : resolve(packed)))
  })
}

/** The records of a batch with these attributes. @throws Error when they cannot be unpacked */
export function decompress(attributes: number, bytes: Buffer): Buffer {
  const code = CODES[attributes & 7]
  const options = { maxOutputLength: MAX_UNPACKED_BYTES }
  if (code === 'none') return bytes
  if (code === 'gzip') return zlib.gunzipSync(bytes, options)
  if (code === 'zstd' && zstd.zstdDecompressSync) return zstd.zstdDecompressSync(bytes, options)
  throw new Error(`compressed with ${code ?? 'an unknown code'}, which this server cannot read`)
}
