import { Adapter } from 'socket.io-adapter'

/** What the adapter has for itself; `one-write-adapter.test.ts` sees when it is no longer there. */
interface Framing {
  _encode(packet: unknown, options: { wsPreEncodedFrame?: Buffer[] }): string[]
}

/**
 * Socket.IO's adapter in memory, which frames what it sends to a room once and in one piece: header and payload apart,
 * as `ws` frames them, are gathered anew for each viewer.
 */
export class OneWriteAdapter extends Adapter {
  constructor(...args: ConstructorParameters<typeof Adapter>) {
    super(...args)
    const framing = this as unknown as Framing
    const encode = framing._encode.bind(this)
    framing._encode = (packet, options) => {
      const encoded = encode(packet, options)
      if (options.wsPreEncodedFrame) options.wsPreEncodedFrame = [Buffer.concat(options.wsPreEncodedFrame)]
      return encoded
    }
  }
}
