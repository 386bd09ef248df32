import { randomInt } from 'node:crypto'
import { connect, createServer } from 'node:net'

/**
 * Below the ports that systems give to outgoing connections and to whoever listens on any port (from 32768 on Linux,
 * 49152 elsewhere): one of those may be gone before the server it is meant for listens.
 */
const FIRST_PORT = 12_000
const END_PORT = 32_000

/** One after the other, so that no port is given twice; processes beside each other begin at different places. */
let next = randomInt(FIRST_PORT, END_PORT)

/** Ports of this machine that nobody listens on now. */
export async function freePorts(count) {
  const ports = []
  while (ports.length < count) {
    const port = next
    next = next + 1 < END_PORT ? next + 1 : FIRST_PORT
    if (await isFree(port)) ports.push(port)
  }
  return ports
}

/** One such port. */
export async function freePort() {
  const [port] = await freePorts(1)
  return port
}

function isFree(port) {
  return new Promise((resolve, reject) => {
    const server = createServer()
    // Some systems keep ports for themselves; anything else would fail for every port.
    server.once('error', (error) => (['EADDRINUSE', 'EACCES'].includes(error.code) ? resolve(false) : reject(error)))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

/** Whether somebody listens on a port of this machine. */
export function isListening(port) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    const settle = (open) => {
      socket.destroy()
      resolve(open)
    }
    socket.once('connect', () => settle(true))
    socket.once('error', () => settle(false))
  })
}
