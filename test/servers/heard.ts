import type { Socket } from 'socket.io-client'

/** The next message of a kind. @throws Error when none comes in time: waiting for ever would say nothing. */
export function heard<T>(socket: Socket, event: string, timeoutMs = 30_000): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`no ${event} was heard within ${timeoutMs} ms`)), timeoutMs)
    socket.once(event, (message: T) => {
      clearTimeout(late)
      resolve(message)
    })
  })
}
