/** What the server says in one frame, of Engine.IO 4 with Socket.IO 5 in it. */
export type LivePacket =
  /** The transport stands; `silentMs` without a frame means that it is lost. */
  | { type: 'transport'; silentMs: number }
  | { type: 'ping' }
  | { type: 'accepted' }
  | { type: 'refused'; body: unknown }
  | { type: 'event'; name: string; body: unknown }
  | { type: 'answer'; request: number; body: unknown }
  | { type: 'end' }
  | { type: 'other' }

const OTHER: LivePacket = { type: 'other' }
export const PONG = '3'

/** Reads a frame. @throws SyntaxError when it is none of this protocol */
export function readPacket(frame: string): LivePacket {
  const rest = frame.slice(1)
  switch (frame[0]) {
    case '0': {
      const { pingInterval, pingTimeout } = JSON.parse(rest) as { pingInterval: number; pingTimeout: number }
      return { type: 'transport', silentMs: pingInterval + pingTimeout }
    }
    case '1':
      return { type: 'end' }
    case '2':
      return { type: 'ping' }
    case '4':
      return readMessage(rest)
    default:
      return OTHER
  }
}

/** Messages of other namespaces and binary ones are never sent by the server. */
function readMessage(message: string): LivePacket {
  const [, request = '', body = ''] = /^\d(\d*)(.*)$/s.exec(message) ?? []
  switch (message[0]) {
    case '0':
      return { type: 'accepted' }
    case '1':
      return { type: 'end' }
    case '2': {
      const [name, value] = JSON.parse(body) as [string, unknown]
      return { type: 'event', name, body: value }
    }
    case '3':
      return { type: 'answer', request: Number(request), body: (JSON.parse(body) as unknown[])[0] }
    case '4':
      return { type: 'refused', body: JSON.parse(body) }
    default:
      return OTHER
  }
}

/** Writes the frame that asks for access. */
export function accessFrame(credentials: object): string {
  return `40${JSON.stringify(credentials)}`
}

/** Writes an event's frame; with a number the server answers to it. */
export function eventFrame(name: string, body: unknown, request: number | undefined): string {
  return `42${request ?? ''}${JSON.stringify([name, body])}`
}
