import { crc32 } from 'node:zlib'
import type { LogIdentities } from '../../ports/event-log.ts'

/** "NCID" and the version of the form. Words are those of the machine: on another kind they are another form. */
const FORM = 0x4e43_4944
const VERSION = 1
/** Form, version, epoch, partition, first offset (8 bytes), received time that the others are told from (8), checksum. */
const HEADER_WORDS = 9
const CHECKSUM = 8
const ID_WORDS = 3
const HIGHEST_WORD = 0xffff_ffff

/** Which identities a file holds: `count` from `offset` on. */
export interface FilePlace {
  epoch: number
  partition: number
  offset: number
  count: number
}

/**
 * The bytes of a file: 16 an identity, three words of id and one of time, ms after the earliest.
 * @returns undefined where the received times lie too far apart for that
 */
export function encodeIdentityFile(place: FilePlace, { ids, receivedAt }: LogIdentities): Uint8Array | undefined {
  const { epoch, partition, offset, count } = place
  const earliest = receivedAt.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)
  const words = new Uint32Array(wordsOf(count))
  words.set([FORM, VERSION, epoch, partition])
  new Float64Array(words.buffer, 16, 2).set([offset, earliest])
  words.set(ids, HEADER_WORDS)
  const times = words.subarray(HEADER_WORDS + count * ID_WORDS)
  for (let i = 0; i < count; i++) {
    const after = (receivedAt[i] as number) - earliest
    if (!Number.isInteger(after) || after > HIGHEST_WORD) return undefined
    times[i] = after
  }
  words[CHECKSUM] = checksumOf(words)
  return new Uint8Array(words.buffer)
}

/** What a file holds. @returns undefined when it is not whole, or not that of the place */
export function decodeIdentityFile(place: FilePlace, bytes: Uint8Array): LogIdentities | undefined {
  const { count } = place
  if (bytes.byteLength !== wordsOf(count) * 4) return undefined
  // A copy, lest its place in memory not be one for words.
  const words = new Uint32Array(new Uint8Array(bytes).buffer)
  const [form, version, epoch, partition] = words
  if (form !== FORM || version !== VERSION || words[CHECKSUM] !== checksumOf(words)) return undefined
  const [offset, earliest] = new Float64Array(words.buffer, 16, 2)
  if (epoch !== place.epoch || partition !== place.partition || offset !== place.offset) return undefined
  const times = words.subarray(HEADER_WORDS + count * ID_WORDS)
  const receivedAt = new Float64Array(count)
  for (let i = 0; i < count; i++) receivedAt[i] = (earliest as number) + (times[i] as number)
  return { offset, ids: words.subarray(HEADER_WORDS, HEADER_WORDS + count * ID_WORDS), receivedAt }
}

const wordsOf = (count: number) => HEADER_WORDS + count * (ID_WORDS + 1)

/** Of all but the word that holds it. */
function checksumOf(words: Uint32Array): number {
  const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength)
  return crc32(bytes.subarray((CHECKSUM + 1) * 4), crc32(bytes.subarray(0, CHECKSUM * 4)))
}
