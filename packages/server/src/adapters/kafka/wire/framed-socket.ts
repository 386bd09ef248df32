import type { Socket } from 'node:net'
import { KafkaError } from '../kafka-error.ts'
import { SpareBuffers } from './spare-buffers.ts'

/** No answer that we ask for is larger; a length beyond it is not Kafka speaking. */
const MAX_ANSWER_BYTES = 128 * 1024 * 1024

interface Frame {
  apiKey: number
  apiVersion: number
  isFlexible?: boolean
  body: readonly Uint8Array[]
}

/** Requests and their answers over one connection. */
export interface FramedSocket {
  readonly isClosed: boolean
  /** Requests without an answer yet. */
  readonly waiting: number
  /** After a timeout the connection is closed: an answer that comes late must not be taken for another's. */
  send(frame: Frame, timeoutMs: number): Promise<Buffer>
  /** To be called with an answer that nobody needs any more: a large one's memory is used again. */
  release(answer: Buffer): void
  close(error: Error): void
}

/** Takes a connected socket over. */
export function createFramedSocket(socket: Socket, address: string, clientId: string): FramedSocket {
  const waiting = new Map<
    number,
    { isFlexible: boolean; resolve: (body: Buffer) => void; reject: (e: Error) => void; timer: NodeJS.Timeout }
  >()
  const client = Buffer.from(clientId)
  let correlationId = 0
  let isClosed = false

  const lengthBytes = Buffer.alloc(4)
  let lengthFilled = 0
  let answer: Buffer | undefined
  const spare = new SpareBuffers()
  /** Memory of answers that were gathered from several chunks, and is ours alone. */
  const lent = new WeakSet<ArrayBufferLike>()
  let answerFilled = 0

  function close(error: Error): void {
    if (isClosed) return
    isClosed = true
    socket.destroy()
    for (const { reject, timer } of waiting.values()) {
      clearTimeout(timer)
      reject(error)
    }
    waiting.clear()
  }

  const lost = (reason: string) =>
    close(new KafkaError('CONNECTION', `the connection to Kafka at ${address} ${reason}`))

  function onData(chunk: Buffer): void {
    let at = 0
    while (at < chunk.byteLength) {
      if (!answer) {
        lengthBytes[lengthFilled++] = chunk[at++] as number
        if (lengthFilled < 4) continue
        lengthFilled = 0
        const length = lengthBytes.readInt32BE(0)
        if (length < 4 || length > MAX_ANSWER_BYTES) {
          lost(`sent what is no answer of Kafka (length ${length})`)
          return
        }
        if (chunk.byteLength - at >= length) {
          settle(chunk.subarray(at, at + length))
          at += length
          continue
        }
        answer = spare.take(length).subarray(0, length)
        lent.add(answer.buffer)
        answerFilled = 0
      }
      const copied = chunk.copy(answer, answerFilled, at)
      at += copied
      answerFilled += copied
      if (answerFilled < answer.byteLength) return
      const whole = answer
      answer = undefined
      settle(whole)
    }
  }

  function settle(frame: Buffer): void {
    const id = frame.readInt32BE(0)
    const request = waiting.get(id)
    if (!request) return
    waiting.delete(id)
    clearTimeout(request.timer)
    // A flexible answer has tagged fields in its header; no version of Kafka sends any.
    request.resolve(frame.subarray(request.isFlexible ? 5 : 4))
  }

  function send({ apiKey, apiVersion, isFlexible = false, body }: Frame, timeoutMs: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      if (isClosed) return reject(new KafkaError('CONNECTION', `the connection to Kafka at ${address} was closed`))
      const id = correlationId++ & 0x7fffffff
      const header = Buffer.allocUnsafe(14 + client.byteLength + (isFlexible ? 1 : 0))
      const size = body.reduce((sum, piece) => sum + piece.byteLength, header.byteLength - 4)
      header.writeInt32BE(size, 0)
      header.writeInt16BE(apiKey, 4)
      header.writeInt16BE(apiVersion, 6)
      header.writeInt32BE(id, 8)
      header.writeInt16BE(client.byteLength, 12)
      client.copy(header, 14)
      if (isFlexible) header[header.byteLength - 1] = 0
      const timer = setTimeout(() => {
        waiting.delete(id)
        reject(new KafkaError('TIMEOUT', `Kafka at ${address} has not answered within ${Math.round(timeoutMs)} ms`))
        lost('was closed, since an answer was overdue')
      }, timeoutMs)
      waiting.set(id, { isFlexible, resolve, reject, timer })
      socket.cork()
      socket.write(header)
      for (const piece of body) socket.write(piece)
      socket.uncork()
    })
  }

  socket.on('data', onData)
  socket.on('end', () => lost('was closed by the broker'))
  socket.on('close', () => lost('was lost'))
  socket.on('error', (error) => lost(`was lost: ${error.message}`))
  return {
    get isClosed() {
      return isClosed
    },
    get waiting() {
      return waiting.size
    },
    send,
    release(released) {
      if (lent.delete(released.buffer)) spare.put(released)
    },
    close,
  }
}
