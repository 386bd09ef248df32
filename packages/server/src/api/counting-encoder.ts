import { Encoder, type Packet } from 'socket.io-parser'

/** Socket.IO's encoder, which tells how many bytes each message has; one for many viewers is encoded once. */
export function countingEncoder(count: (bytes: number) => void): typeof Encoder {
  return class extends Encoder {
    override encode(packet: Packet) {
      const encoded = super.encode(packet)
      for (const part of encoded) count(Buffer.byteLength(part))
      return encoded
    }
  }
}
