import type { IncomingMessage } from 'node:http'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { LIMITS } from '@nowcast/protocol'
import type { Context } from 'hono'
import { NowcastError } from '../errors.ts'

const inflate = promisify(gunzip)

/** A body as parsed JSON. */
export interface JsonBody {
  value: unknown
  /** Whether its text has no backslash: no string in it needs one then. */
  isPlain: boolean
}

/** Reads request bodies; all that are being read together stay below a bound. */
export interface BodyReader {
  /**
   * The body as parsed JSON, inflated if need be, whatever its content type.
   * @throws NowcastError `body_too_large`, `unsupported_encoding`, `invalid_json`, `buffer_full`
   */
  readJson(context: Context): Promise<JsonBody>
}

/** Takes note of bytes that came in. @throws NowcastError `body_too_large`, `buffer_full` */
type Take = (bytes: number) => void

/**
 * A reader that holds at most `maxBytes` of bodies at a time. What has come in counts, not what was announced: senders
 * that announce much and send little keep nobody out. @default 64 MiB
 */
export function createBodyReader(maxBytes = 64 * 1024 * 1024): BodyReader {
  let held = 0
  /** Where the pieces of a body are joined, for as long as it takes to parse them: no memory of its own for each. */
  let joint: Buffer | undefined

  function joined(chunks: readonly Uint8Array[]): Buffer {
    const [only] = chunks
    // Outside of Node's own server a chunk is no Buffer.
    if (only && chunks.length === 1) return Buffer.from(only.buffer, only.byteOffset, only.byteLength)
    joint ??= Buffer.allocUnsafeSlow(LIMITS.wireBytes)
    let size = 0
    for (const chunk of chunks) {
      joint.set(chunk, size)
      size += chunk.byteLength
    }
    return joint.subarray(0, size)
  }

  return {
    async readJson(context) {
      const encoding = context.req.header('content-encoding')?.toLowerCase() ?? 'identity'
      if (encoding !== 'identity' && encoding !== 'gzip') {
        throw new NowcastError(
          'unsupported_encoding',
          `content-encoding ${encoding} is not supported: send gzip, or none`,
        )
      }
      const declared = Number(context.req.header('content-length') ?? 0)
      if (declared > LIMITS.wireBytes) throw tooLarge()
      let own = 0
      const take: Take = (bytes) => {
        if (own + bytes > LIMITS.wireBytes) throw tooLarge()
        if (held + bytes > maxBytes) throw full()
        own += bytes
        held += bytes
      }
      try {
        const chunks = await readChunks(context, take)
        return parse(encoding === 'gzip' ? await inflated(Buffer.concat(chunks)) : joined(chunks))
      } finally {
        held -= own
      }
    },
  }
}

async function readChunks(context: Context, take: Take): Promise<Uint8Array[]> {
  const incoming = (context.env as { incoming?: IncomingMessage } | undefined)?.incoming
  if (incoming) return readIncoming(incoming, take)
  const stream = context.req.raw.body as AsyncIterable<Uint8Array> | null
  if (!stream) return []
  const chunks: Uint8Array[] = []
  for await (const chunk of stream) {
    take(chunk.byteLength)
    chunks.push(chunk)
  }
  return chunks
}

/** By events, since an async iterator costs a batch of 100 events half of what parsing it does. */
function readIncoming(incoming: IncomingMessage, take: Take): Promise<Uint8Array[]> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let isRefused = false
    const end = () => resolve(chunks)
    if (incoming.readableEnded) return end()
    incoming.on('data', (chunk: Buffer) => {
      // The rest is read and forgotten: half a request in the connection would hold up the next one.
      if (isRefused) return
      try {
        take(chunk.byteLength)
        chunks.push(chunk)
      } catch (error) {
        isRefused = true
        chunks.length = 0
        reject(error)
      }
    })
    incoming.once('end', end)
    incoming.once('error', reject)
    incoming.once('close', () => {
      if (!incoming.complete) reject(new NowcastError('invalid_json', 'the body was cut short'))
    })
  })
}

async function inflated(bytes: Buffer): Promise<Buffer> {
  try {
    return await inflate(bytes, { maxOutputLength: LIMITS.inflatedBytes })
  } catch (cause) {
    if ((cause as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge()
    throw new NowcastError('invalid_json', 'the body says it is gzip and is not', { cause })
  }
}

function full(): NowcastError {
  return new NowcastError('buffer_full', 'too many requests at a time: send the same batch again later', {
    retryable: true,
    retryAfterMs: 1000,
  })
}

function parse(bytes: Buffer): JsonBody {
  try {
    const text = bytes.toString('utf8')
    return { value: JSON.parse(text), isPlain: !text.includes('\\') }
  } catch (cause) {
    throw new NowcastError('invalid_json', `the body is no JSON: ${(cause as Error).message}`, { cause })
  }
}

function tooLarge(): NowcastError {
  const { wireBytes, inflatedBytes } = LIMITS
  return new NowcastError(
    'body_too_large',
    `a body has at most ${wireBytes} bytes, ${inflatedBytes} when inflated: split the batch`,
  )
}
