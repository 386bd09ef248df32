import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/**
 * A process that answers each message with one.
 * @param {string | URL} file
 * @param {string[]} [execArgv]
 * @param {string[]} [args]
 */
export function startChild(file, execArgv = [], args = []) {
  const child = fork(file instanceof URL ? fileURLToPath(file) : file, args, { execArgv })
  let waiting
  child.on('message', (message) => {
    const { resolve, reject } = waiting
    if (message.error) reject(new Error(message.error))
    else resolve(message)
  })
  const exited = new Promise((resolve) => child.once('exit', resolve))
  exited.then((code) => waiting?.reject(new Error(`${file} ended with ${code}`)))
  return {
    ask: (message) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject }
        child.send(message)
      }),
    signal: (signal) => child.kill(signal),
    async stop() {
      waiting = undefined
      if (child.connected) child.disconnect()
      await exited
    },
  }
}
