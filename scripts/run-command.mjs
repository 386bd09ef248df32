import { spawn } from 'node:child_process'
import { delimiter } from 'node:path'
import { root } from './public-packages.mjs'

const SIGNALS = ['SIGINT', 'SIGTERM']
const isWindows = process.platform === 'win32'

/** The environment of everything that these scripts start: local tools first, nothing reported to their makers. */
const environment = {
  ...process.env,
  PATH: `${root}/node_modules/.bin${delimiter}${process.env.PATH}`,
  TURBO_TELEMETRY_DISABLED: '1',
  DO_NOT_TRACK: '1',
}

/** How long something took, to read. */
export function inSeconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`
}

/**
 * Runs a command to its end.
 * @param {string[]} command name and arguments
 * @param {{ cwd?: string, show?: boolean, env?: object, limitMs?: number }} options `show`: let its output through
 *   instead of collecting it; `limitMs`: end it, and what it started, after this time
 * @returns {Promise<{ ok: boolean, outcome: string, output: string, ms: number }>} `outcome`: why it is not ok
 */
export function runCommand([name, ...args], { cwd = root, show = false, env = {}, limitMs } = {}) {
  const startedAt = performance.now()
  const child = spawn(name, args, {
    cwd,
    env: { ...environment, ...env },
    stdio: show ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    shell: isWindows,
    // A group of its own can be ended as a whole.
    detached: limitMs !== undefined && !isWindows,
  })
  const output = []
  child.stdout?.on('data', (chunk) => output.push(chunk))
  child.stderr?.on('data', (chunk) => output.push(chunk))
  const limit = limitMs === undefined ? undefined : limitTime(child, limitMs)
  return new Promise((resolve) => {
    const settle = (outcome) => {
      limit?.lift()
      const ms = performance.now() - startedAt
      resolve({ ok: outcome === '', outcome, output: Buffer.concat(output).toString().trim(), ms })
    }
    child.on('error', (error) => settle(`could not be started: ${error.message}`))
    child.on('close', (code, signal) => {
      if (limit?.isExceeded()) settle(`ran longer than ${inSeconds(limitMs)}`)
      else if (signal) settle(`ended by ${signal}`)
      else settle(code === 0 ? '' : `exit code ${code}`)
    })
  })
}

/** Ends a child's process group after `limitMs`, or when this process is told to end. */
function limitTime(child, limitMs) {
  let isExceeded = false
  const end = (signal) => {
    try {
      process.kill(isWindows ? child.pid : -child.pid, signal)
    } catch {
      // It is gone already.
    }
  }
  const timer = setTimeout(() => {
    isExceeded = true
    end('SIGKILL')
  }, limitMs)
  const stop = (signal) => {
    end(signal)
    // Others may have a group to end, too.
    setImmediate(() => process.exit(1))
  }
  for (const signal of SIGNALS) process.on(signal, stop)
  return {
    isExceeded: () => isExceeded,
    lift() {
      clearTimeout(timer)
      for (const signal of SIGNALS) process.off(signal, stop)
    },
  }
}
